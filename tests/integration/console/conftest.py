"""What tests of the console begin with: an admin signed in, deliveries, a dispatcher for tests."""

from collections.abc import Iterator
from typing import Any

import pytest

from perkwire.adapters import aws
from tests.integration.browsing import Browser, ConsoleServer
from tests.integration.console.deliveries import deliver
from tests.integration.system import System, Tenant
from tests.integration.trials.test_test_call import Lambda
from tests.receiver import Endpoint, Receiver


@pytest.fixture
def client(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lambda]:
    """The dispatcher that tests are sent through."""
    client = Lambda()
    monkeypatch.setattr(aws, "functions", lambda _: client)
    system.cold_start("console", "management")
    yield client
    system.cold_start("console", "management")


@pytest.fixture
def admin(browser: Browser, tenant: Tenant) -> Browser:
    """A browser in which the tenant's admin is signed in."""
    browser.sign_in(tenant.key)
    return browser


@pytest.fixture
def endpoint(receiver: Receiver) -> Endpoint:
    return receiver.endpoint(500)


@pytest.fixture
def mixed(
    system: System, tenant: Tenant, endpoint: Endpoint, browser: Browser
) -> dict[str, dict[str, Any]]:
    """Two deliveries that failed, one that succeeded, one on its way; whoever looks is signed in.

    By the keys failed, other, succeeded, retrying.
    """
    browser.sign_in(tenant.key)
    tenant.webhook(endpoint.url)
    deliver(system, tenant, 2)
    endpoint.answer(200)
    deliver(system, tenant)
    endpoint.answer(500)
    tenant.post(tenant.an_event("tier.upgraded"))
    system.route()
    system.dispatch()
    failed, other = tenant.deliveries(status="failed")
    (succeeded,) = tenant.deliveries(status="succeeded")
    (retrying,) = tenant.deliveries(status="retrying")
    return {"failed": failed, "other": other, "succeeded": succeeded, "retrying": retrying}


@pytest.fixture
def operator(browser: Browser, operator_key: str) -> Browser:
    """A browser in which an operator is signed in."""
    browser.sign_in(operator_key)
    return browser


@pytest.fixture
def another_browser(console: ConsoleServer) -> Browser:
    return Browser(console.url)
