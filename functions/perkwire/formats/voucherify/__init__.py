"""`voucherify@2024-01-01`: the webhooks of Voucherify's projects and distributions."""
