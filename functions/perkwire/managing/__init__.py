"""Managing accounts, API keys and webhooks: the rules, once, for every entrance."""

from perkwire.managing.accounts import AccountManagement, ApiKeys, NoticeTopics
from perkwire.managing.stores import Accounts, ChangedMeanwhile
from perkwire.managing.webhooks import (
    GivenWebhook,
    Sealer,
    TooManyWebhooks,
    UrlTaken,
    WebhookManagement,
    Webhooks,
)

__all__ = [
    "AccountManagement",
    "Accounts",
    "ApiKeys",
    "ChangedMeanwhile",
    "GivenWebhook",
    "NoticeTopics",
    "Sealer",
    "TooManyWebhooks",
    "UrlTaken",
    "WebhookManagement",
    "Webhooks",
]
