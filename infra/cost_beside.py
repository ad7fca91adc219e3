"""What else it would cost, at fan-out 3: others' list prices, and where each was read."""

from dataclasses import dataclass

from infra.calls import LOADS
from infra.cost_model import Event
from infra.cost_rest import at_rest
from infra.prices import API_DESTINATION, EVENTBRIDGE_EVENT, MILLION
from infra.tables import table

FAN_OUT = 3
_MILLIONS = (0.1, 1, 10, 100)
_MONTH_HOURS = 730
_MACHINE = 0.0168 * _MONTH_HOURS  # t4g.small
_DATABASE = 11.68  # db.t4g.micro
_DATABASE_IN_TWO_ZONES = 46.72  # db.t4g.small
_STORAGE = 20 * 0.115
_CACHE = 11.7  # cache.t4g.micro
_LOAD_BALANCER = 22.0


@dataclass(frozen=True)
class _Price:
    """Of a month: something fixed, and something for each million events."""

    name: str
    fixed: float
    million: float

    def month(self, millions: float) -> float:
        """With so many million events."""
        return self.fixed + self.million * millions


def _ours() -> list[_Price]:
    return [
        _Price(f"Perkwire, {load.name}", at_rest(), sum(Event.of(load, FAN_OUT).dollars().values()))
        for load in reversed(LOADS)
    ]


def _others() -> list[_Price]:
    traffic = Event.of(LOADS[0], FAN_OUT).dollars()["traffic out"]
    eventbridge = MILLION * (EVENTBRIDGE_EVENT + FAN_OUT * API_DESTINATION)
    one = _MACHINE + _DATABASE + _STORAGE + _CACHE
    two = 2 * _MACHINE + _DATABASE_IN_TWO_ZONES + 2 * _STORAGE + 2 * _CACHE + _LOAD_BALANCER
    return [
        _Price("EventBridge API destinations", 0, eventbridge + traffic),
        _Price("Outpost, hosted", 0, 10),
        _Price("Hookdeck, Team", 39, 10 * FAN_OUT),
        _Price("Hookdeck, Team, at its price for volume", 39, 3.3 * FAN_OUT),
        _Price("Svix, Professional", 490 - 0.05 * 100, 100),
        _Price("one's own sender, one zone", one, traffic),
        _Price("one's own sender, two zones", two, traffic),
    ]


def beside() -> str:
    """Dollars a month by volume, and from where on which of ours is dearer."""
    ours = _ours()
    heads = (
        "dollars a month, million events",
        *(f"{millions:g}" for millions in _MILLIONS),
        "we are dearer, by load: lists, busy, quiet",
    )
    rows = [(one.name, *_months(one), "") for one in ours]
    rows += [
        (other.name, *_months(other), ", ".join(_dearer(one, other) for one in ours))
        for other in _others()
    ]
    return table(heads, rows)


def _months(price: _Price) -> list[str]:
    return [f"{price.month(millions):,.0f}" for millions in _MILLIONS]


def _dearer(ours: _Price, other: _Price) -> str:
    """At which volumes, in millions a month."""
    if ours.million == other.million:
        return "always" if ours.fixed > other.fixed else "never"
    meets = (other.fixed - ours.fixed) / (ours.million - other.million)
    if meets <= 0:
        return "always" if ours.million > other.million else "never"
    return f"{'from' if ours.million > other.million else 'below'} {meets:.2g}"


def beside_prices() -> str:
    """Each price, where it was read, and of when it is."""
    rows = [
        (
            "EventBridge",
            "1.00 per million events, 0.20 per million calls of API destinations",
            "cloudburn.io/blog/amazon-eventbridge-pricing, 2026-03-13",
        ),
        (
            "Svix",
            "Professional from 490 a month, 0.0001 for each message above 50,000",
            "svix.com/pricing, read 2026-09-20; that a message to three endpoints counts once "
            "is not verified",
        ),
        (
            "Hookdeck",
            "Team from 39 a month, 1.00 for 100,000 events delivered, to 0.33 at volume",
            "hookdeck.com/pricing, read 2026-09-20; from which volume is not known",
        ),
        (
            "Outpost, hosted",
            "from 10 per million events",
            "its repository's documentation of 2026-08-20; whether of events or deliveries is "
            "not verified",
        ),
        (
            "t4g.small",
            "0.0168 an hour",
            "AWS's price list of 2026-08-09",
        ),
        (
            "db.t4g.micro; db.t4g.small in two zones",
            "11.68; 46.72 a month",
            "infratally.com/articles/aws-rds-pricing-explained-2026.html, 2026",
        ),
        (
            "storage of the database",
            "0.115 per GB and month, 20 GB, twice in two zones",
            "usage.ai/blogs/aws/reserved-instances/rds/pricing-calculator, 2026-06",
        ),
        ("cache.t4g.micro", "about 11.7 a month", "in public in 2026; the page was not kept"),
        ("load balancer", "about 22 a month", "in public in 2026; the page was not kept"),
        (
            "DynamoDB, provisioned",
            "0.00065 for a write unit and hour, 0.00013 for a read unit",
            "wring.co/blog/aws-dynamodb-pricing-guide, 2026-03-08",
        ),
        (
            "Lambda SnapStart",
            "0.0000015046 per GB and second of cache, 0.0001397998 per GB restored",
            "awsnegotiations.com/blog/lambda-snapstart-cost-impact, 2026-05",
        ),
    ]
    return table(("", "dollars", "where, and of when"), rows)
