"""Hypothesis strategies for what the domain is made of."""

import string

from hypothesis import settings
from hypothesis import strategies as st

from perkwire.model.event import Event
from perkwire.model.messages import DeliveryMessage, EventMessage
from perkwire.primitives.ids import AccountId, DeliveryId, EventId, WebhookId
from perkwire.primitives.strict_json import Json

FEW = settings(max_examples=20, deadline=None)  # for what is slow to make or to try

NAMES = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=20)
MOMENTS = st.integers(0, 250_000_000_000_000_000)  # to the year 9892

SCALARS: st.SearchStrategy[Json] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
)
JSON: st.SearchStrategy[Json] = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)
OBJECTS: st.SearchStrategy[dict[str, Json]] = st.dictionaries(st.text(max_size=8), JSON, max_size=4)
EVENTS = st.builds(
    Event,
    id=NAMES.map(EventId),
    type=st.sampled_from(["points.earned", "custom.quiz_done", "tier.upgraded"]),
    accepted_at=MOMENTS,
    occurred_at=st.none() | MOMENTS,
    program_id=st.none() | st.text(min_size=1, max_size=20),
    data=OBJECTS,
)
EVENT_MESSAGES = st.builds(
    EventMessage,
    account_id=NAMES.map(AccountId),
    events=st.lists(EVENTS, min_size=1, max_size=3).map(tuple),
)
DELIVERY_MESSAGES = st.builds(
    DeliveryMessage,
    delivery_id=NAMES.map(DeliveryId),
    account_id=NAMES.map(AccountId),
    webhook_id=NAMES.map(WebhookId),
    run=st.integers(0, 1000),
    events=st.lists(EVENTS, min_size=1, max_size=3).map(tuple),
)
