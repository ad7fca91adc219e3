"""Samples: the catalogue's examples as events.

A receiver knows one by its id: `evt_test_…` in a test, `sample-…` if it came through the queues.
"""

from collections.abc import Iterable

from perkwire.catalogue import event_types as catalogue
from perkwire.formats.format import Format
from perkwire.model.event import Event
from perkwire.model.webhook import ALL_TYPES, covers
from perkwire.primitives.ids import new_test_event_id

_FAVOURITE = "tier.upgraded"  # nearly every format says it
_PROGRAM = "rewards-club"


def default_type(format_: Format) -> str:
    """A type that the format says, for a webhook on all types."""
    said = (name for name in catalogue.event_types() if format_.name_of(name))
    return _FAVOURITE if format_.name_of(_FAVOURITE) else next(said)


def first_type(wanted: Iterable[str], format_: Format) -> str | None:
    """The first type of those that a webhook names which the format says; None: it says none."""
    for one in wanted:
        if one == ALL_TYPES:
            return default_type(format_)
        known = [name for name in catalogue.event_types() if covers(one, name)]
        if one == f"{catalogue.CUSTOM}*":
            known = [f"{catalogue.CUSTOM}anything"]
        elif catalogue.is_event_type(one):
            known = [one]
        if found := next((name for name in known if format_.name_of(name) is not None), None):
            return found
    return None


def sample_event(event_type: str, at: int) -> Event:
    """A sample of a type of the catalogue, as if accepted at `at`, microseconds since the epoch.

    Nobody in it exists. A type that the catalogue no longer has gets no data.
    """
    found = catalogue.event_type(event_type)
    return Event(
        id=new_test_event_id(at),
        type=event_type,
        accepted_at=at,
        occurred_at=None,
        program_id=_PROGRAM,
        data=found.example if found else {},
    )
