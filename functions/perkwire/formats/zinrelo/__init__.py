"""`zinrelo`: the batches that receivers of Zinrelo's webhooks get."""

from perkwire.formats.zinrelo.envelope import Zinrelo

__all__ = ["Zinrelo"]
