"""Perkwire's library, a room for each part of a message's life: docs/architecture.md lists them."""

VERSION = "0.1.0"
