"""What the resources are made of: the event, and Okendo's names and forms of its values."""

from collections.abc import Iterable

from perkwire.formats import reading
from perkwire.formats.reading import Object, number, part, present, text
from perkwire.primitives.dataclass import dataclass
from perkwire.primitives.ids import AccountId
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import iso_milliseconds

type Resource = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Source:
    """What a resource is made of. `created_at` is None if the event is not its creation."""

    data: Object
    subscriber: AccountId
    created_at: int | None

    def created(self, of: Object, name: str) -> str | None:
        """A member's time, else that of the creation."""
        if self.created_at is None:
            return time(of, name)
        return time(of, name) or iso_milliseconds(self.created_at)


def customer(data: Object) -> Json:
    """Who it is about, as the shop knows them."""
    return given(texts(part(data, "member"), email="email", customerId="customer_id"))


def reward(data: Object) -> Json:
    """Inferred: all names but `description`, `type` and `value`."""
    found = part(data, "reward")
    return given(
        {
            **texts(found, rewardId="id", description="name", type="type", code="code"),
            "value": text(found, "value") or number(found, "value"),
            **texts(found, currency="currency", status="status"),
            "dateExpires": time(found, "expires_at"),
        }
    )


def texts(of: Object, **names: str) -> dict[str, Json]:
    """The texts of an object, each under Okendo's name for it."""
    return {theirs: text(of, ours) for theirs, ours in names.items()}


def given(members: Object) -> dict[str, Json] | None:
    """An object of the members that have a value, if any has one."""
    return present(members) or None


def listed(items: Iterable[Object]) -> Json:
    """The objects of a list, if there are any."""
    return [present(item) for item in items] or None


def time(of: Object, name: str) -> str | None:
    """A time, with milliseconds in UTC."""
    at = reading.moment(of, name)
    return None if at is None else iso_milliseconds(at)


def date_of(of: Object, name: str) -> str | None:
    """A calendar day."""
    found = reading.day(of, name)
    return None if found is None else found.isoformat()


def order(order_id: str | None) -> Json:
    """The order that it belongs to, by the shop's own id."""
    return given({"remoteOrderId": order_id})
