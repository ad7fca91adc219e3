"""ConfigTable as it counts the notices of an account: an item for each hour of the clock."""

from perkwire.adapters.dynamodb.config_items import NoticeCountItem, health_pk
from perkwire.adapters.dynamodb.tables import failing_as_unavailable, update_if
from perkwire.model.webhook import Webhook
from perkwire.primitives.timestamps import DAY_SECONDS, MICROSECONDS, to_rfc3339

_NOTICES = "notices#"
_TO_THE_HOUR = len("2026-11-21T01")


class NoticeCounter:
    """Fulfils notices.NoticeBound."""

    def admit_notice(self, webhook: Webhook, now: int, most: int) -> bool:
        """Count a notice by a condition on the count, so that no race gets past `most`.

        Raises Unavailable.
        """
        hour = f"{_NOTICES}{to_rfc3339(now)[:_TO_THE_HOUR]}"
        with failing_as_unavailable():
            return update_if(
                NoticeCountItem(health_pk(webhook.account_id), hour),
                [
                    NoticeCountItem.kind.set(NoticeCountItem),
                    NoticeCountItem.taken.add(1),
                    NoticeCountItem.expires_at.set(now // MICROSECONDS + DAY_SECONDS),
                ],
                NoticeCountItem.taken.does_not_exist() | (NoticeCountItem.taken < most),
            )
