"""The catalogue: every event type, what its data looks like, and its name in each product.

Kept as data beside the modules: `types/*.json` (a group of types each), `objects.json` (the
objects that their data is made of) and `names/*.json` (what a product calls them). Read at first
use and once. How a format writes an event is not here.
"""
