"""A browser of the tenant's admin, and the dispatcher that the console's tests are sent through."""

from collections.abc import Iterator

import pytest

from perkwire.adapters import aws
from tests.integration.browsing import Browser
from tests.integration.system import System, Tenant
from tests.integration.trials.test_test_call import Lambda


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
