"""Perkwire's library: domain modules here, AWS and HTTP in `adapters`."""

VERSION = "0.1.0"
