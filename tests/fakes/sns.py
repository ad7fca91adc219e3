"""SNS: the topics of the accounts' notices."""

from collections.abc import Collection

from perkwire.model.account import same_address
from perkwire.model.notices import Notice
from perkwire.primitives.ids import AccountId
from tests.fakes.failing import Failing


class FakeTopics(Failing):
    """For NoticeTopics and NoticePublisher: managing.NoticeTopics, notices.Publisher."""

    def __init__(self) -> None:
        super().__init__()
        self.subscribed: dict[str, list[str]] = {}
        self.published: list[tuple[str, Notice]] = []
        self._confirmed: set[str] = set()

    def confirm(self, address: str) -> None:
        """Have the owner of a mailbox say yes."""
        self._confirmed.add(same_address(address))

    def subscribe_only(self, account_id: AccountId, addresses: Collection[str]) -> str:
        self._called("subscribe_only")
        topic = f"arn:aws:sns:us-east-1:000000000000:fake-notices-{account_id}"
        self.subscribed[topic] = [*addresses]
        return topic

    def confirmed(self, topic: str) -> set[str]:
        self._called("confirmed")
        return {same_address(one) for one in self.subscribed[topic]} & self._confirmed

    def publish(self, topic: str, notice: Notice) -> None:
        self._called("publish")
        self.published.append((topic, notice))
