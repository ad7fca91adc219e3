"""Authorizer: an API key in, its account and scopes out."""

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from perkwire.adapters.dynamodb import tables
from perkwire.adapters.dynamodb.config_items import CONFIG_ITEMS
from perkwire.adapters.dynamodb.key_lookup import KeyLookup
from perkwire.adapters.http_api import caller_context, header_of
from perkwire.adapters.initialising import while_initialising
from perkwire.model.account import key_hash
from perkwire.settings.authorizer import AuthorizerSettings

_SCHEME = "bearer "


@cache
def _keys() -> KeyLookup:
    settings = AuthorizerSettings.from_env(os.environ)
    tables.bind(tables.connect(), settings.config_table, *CONFIG_ITEMS)
    return KeyLookup()


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """API Gateway's simple response; raises (a 500 there) if DynamoDB does not answer."""
    credential = header_of(event, "authorization") or ""
    if not credential.lower().startswith(_SCHEME):
        return {"isAuthorized": False}
    caller = _keys().caller(key_hash(credential[len(_SCHEME) :].strip()))
    if caller is None:
        return {"isAuthorized": False}
    return {"isAuthorized": True, "context": caller_context(caller)}


while_initialising(_keys)
