"""What else it would cost, at fan-out 3: others' list prices, and where each was read."""

from dataclasses import dataclass

from infra import prices
from infra.calls import LOADS
from infra.cost_model import Event
from infra.cost_rest import at_rest
from infra.prices import MILLION
from infra.tables import table

FAN_OUT = 3
_MILLIONS = (0.1, 1, 10, 100)
_MONTH_HOURS = 730
_DATABASE_GBS = 20


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
    eventbridge = MILLION * (prices.EVENTBRIDGE_EVENT + FAN_OUT * prices.API_DESTINATION)
    machine = prices.MACHINE_HOUR * _MONTH_HOURS
    storage = prices.DATABASE_GB * _DATABASE_GBS
    one = machine + prices.DATABASE_MONTH + storage + prices.CACHE_MONTH
    two = 2 * (machine + storage + prices.CACHE_MONTH)
    two += prices.DATABASE_MONTH_IN_TWO_ZONES + prices.LOAD_BALANCER_MONTH
    hookdeck = MILLION * FAN_OUT * prices.HOOKDECK_DELIVERY
    at_volume = MILLION * FAN_OUT * prices.HOOKDECK_DELIVERY_AT_VOLUME
    svix = prices.SVIX_MONTH - prices.SVIX_MESSAGE * prices.SVIX_INCLUDED
    return [
        _Price("EventBridge API destinations", 0, eventbridge + traffic),
        _Price("Outpost, hosted", 0, MILLION * prices.OUTPOST_EVENT),
        _Price("Hookdeck, Team", prices.HOOKDECK_MONTH, hookdeck),
        _Price("Hookdeck, Team, at its price for volume", prices.HOOKDECK_MONTH, at_volume),
        _Price("Svix, Professional", svix, MILLION * prices.SVIX_MESSAGE),
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
            f"{MILLION * prices.EVENTBRIDGE_EVENT:.2f} per million events, "
            f"{MILLION * prices.API_DESTINATION:.2f} per million calls of API destinations",
            "cloudburn.io/blog/amazon-eventbridge-pricing, 2026-03-13",
        ),
        (
            "Svix",
            f"Professional from {prices.SVIX_MONTH:.0f} a month, {prices.SVIX_MESSAGE:.4f} for "
            f"each message above {prices.SVIX_INCLUDED:,}",
            "svix.com/pricing, read 2026-09-20; that a message to three endpoints counts once "
            "is not verified",
        ),
        (
            "Hookdeck",
            f"Team from {prices.HOOKDECK_MONTH:.0f} a month, "
            f"{100_000 * prices.HOOKDECK_DELIVERY:.2f} for 100,000 events delivered, "
            f"to {100_000 * prices.HOOKDECK_DELIVERY_AT_VOLUME:.2f} at volume",
            "hookdeck.com/pricing, read 2026-09-20; from which volume is not known",
        ),
        (
            "Outpost, hosted",
            f"from {MILLION * prices.OUTPOST_EVENT:.0f} per million events",
            "its repository's documentation of 2026-08-20; whether of events or deliveries is "
            "not verified",
        ),
        (
            "t4g.small",
            f"{prices.MACHINE_HOUR:.4f} an hour",
            "AWS's price list of 2026-08-09",
        ),
        (
            "db.t4g.micro; db.t4g.small in two zones",
            f"{prices.DATABASE_MONTH:.2f}; {prices.DATABASE_MONTH_IN_TWO_ZONES:.2f} a month",
            "infratally.com/articles/aws-rds-pricing-explained-2026.html, 2026",
        ),
        (
            "storage of the database",
            f"{prices.DATABASE_GB:.3f} per GB and month, {_DATABASE_GBS} GB, twice in two zones",
            "usage.ai/blogs/aws/reserved-instances/rds/pricing-calculator, 2026-06",
        ),
        (
            "cache.t4g.micro",
            f"about {prices.CACHE_MONTH:.1f} a month",
            "in public in 2026; the page was not kept",
        ),
        (
            "load balancer",
            f"about {prices.LOAD_BALANCER_MONTH:.0f} a month",
            "in public in 2026; the page was not kept",
        ),
        (
            "DynamoDB, provisioned",
            f"{prices.PROVISIONED_WRITE_HOUR:.5f} for a write unit and hour, "
            f"{prices.PROVISIONED_READ_HOUR:.5f} for a read unit",
            "wring.co/blog/aws-dynamodb-pricing-guide, 2026-03-08",
        ),
        (
            "Lambda SnapStart",
            f"{prices.SNAPSTART_GB_SECOND:.10f} per GB and second of cache, "
            f"{prices.SNAPSTART_RESTORED_GB:.10f} per GB restored",
            "awsnegotiations.com/blog/lambda-snapstart-cost-impact, 2026-05",
        ),
    ]
    return table(("", "dollars", "where, and of when"), rows)
