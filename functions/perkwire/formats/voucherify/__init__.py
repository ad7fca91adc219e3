"""`voucherify@2024-01-01`: the webhooks of Voucherify's projects and distributions."""

from perkwire.formats.voucherify.envelope import Voucherify

__all__ = ["Voucherify"]
