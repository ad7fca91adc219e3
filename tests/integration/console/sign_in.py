"""Links into the console, made for an account or followed by an operator."""

from urllib.parse import urlsplit

from tests.integration.browsing import Browser, PageSeen
from tests.integration.system import System, Tenant


def link_of(system: System, tenant: Tenant, key: str, **fields: object) -> str:
    """The path of a new console link."""
    path = f"/v1/accounts/{tenant.id}/console-links"
    answer = system.call("POST", path, fields or None, key=key)
    assert answer.status == 201, answer
    url = urlsplit(answer.json["url"])
    assert url.path == "/console/enter"
    return f"{url.path}?{url.query}"


def enter(operator: Browser, tenant: Tenant) -> PageSeen:
    path = f"/console/accounts/{tenant.id}"
    return operator.submit(operator.get(path).form(f"{path}/enter"))
