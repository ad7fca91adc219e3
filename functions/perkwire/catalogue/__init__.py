"""The catalogue: every event type, what its data looks like, and its name in each product.

Kept as data beside this module: `types/*.json` (a group of types each), `objects.json` (the
objects that their data is made of) and `names/*.json` (what a product calls them). Read at first
use and once.
"""

from perkwire.catalogue.event_types import (
    CUSTOM,
    EventType,
    event_type,
    event_types,
    is_event_type,
    nearest,
)
from perkwire.catalogue.names import (
    ProductEvent,
    ProductName,
    names_in,
    product_events,
    products,
)

__all__ = [
    "CUSTOM",
    "EventType",
    "ProductEvent",
    "ProductName",
    "event_type",
    "event_types",
    "is_event_type",
    "names_in",
    "nearest",
    "product_events",
    "products",
]
