"""The console in a frame: nowhere by default, and below named hosts with a session of its own."""

import pytest

from tests.integration.browsing import Browser
from tests.integration.system import System, Tenant

HOSTS = "https://admin.example.com https://shop.example.com:8443"
FRAMED = {"Sec-Fetch-Dest": "iframe", "Sec-Fetch-Site": "same-origin"}
SIGN_IN = "/console/sign-in"


@pytest.fixture
def embedding(system: System) -> System:
    system.restart(EMBEDDING_HOSTS=HOSTS)
    return system


def test_nobody_may_by_default(system: System, browser: Browser, tenant: Tenant) -> None:
    page = browser.get(SIGN_IN)
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["x-frame-options"] == "DENY"

    answer = browser.post(SIGN_IN, {"key": tenant.key}, FRAMED)

    (cookie,) = answer.cookies
    assert "SameSite=Lax" in cookie
    assert "Partitioned" not in cookie


def test_named_hosts_may_and_no_header_says_otherwise(embedding: System, browser: Browser) -> None:
    for path in (SIGN_IN, "/console/no-such-page", "/console/static/none.css"):
        page = browser.get(path)
        assert f"frame-ancestors {HOSTS};" in page.headers["content-security-policy"] + ";"
        assert "x-frame-options" not in page.headers


def test_a_session_of_a_frame_is_kept_apart_and_ends_there(
    embedding: System, browser: Browser, tenant: Tenant
) -> None:
    answer = browser.post(SIGN_IN, {"key": tenant.key}, FRAMED)
    (cookie,) = answer.cookies
    for attribute in ("__Host-", "Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/"):
        assert attribute in cookie
    assert browser.get("/console/webhooks").status == 200

    out = browser.get("/console/webhooks").form("/console/sign-out")
    (cookie,) = browser.post(out.action, out.fields, FRAMED).cookies

    assert "Max-Age=0" in cookie
    assert "Partitioned" in cookie


def test_a_session_of_a_page_of_its_own_is_lax_as_ever(
    embedding: System, browser: Browser, tenant: Tenant
) -> None:
    headers = {"Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "same-origin"}

    (cookie,) = browser.post(SIGN_IN, {"key": tenant.key}, headers).cookies

    assert "SameSite=Lax" in cookie
    assert "Partitioned" not in cookie


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_form_of_another_frame_does_nothing_though_it_brings_the_cookie(
    site: str, embedding: System, browser: Browser, tenant: Tenant
) -> None:
    browser.post(SIGN_IN, {"key": tenant.key}, FRAMED)
    form = browser.get("/console/account/api-keys/new").form("/console/account/api-keys")
    fields = {**dict(form.fields), "name": "theirs", "scopes": "events"}

    answer = browser.post(form.action, fields, {**FRAMED, "Sec-Fetch-Site": site})

    assert answer.status == 403
    assert "theirs" not in browser.get("/console/account").text
    without = {name: value for name, value in fields.items() if name != "csrf"}
    assert browser.post(form.action, without, FRAMED).status == 403
    assert browser.post(form.action, fields, FRAMED).status == 201


def test_a_host_of_the_embedding_page_is_no_origin_of_forms(
    embedding: System, browser: Browser, tenant: Tenant
) -> None:
    """Also where a browser says no more than where a form comes from."""
    answer = browser.post(SIGN_IN, {"key": tenant.key}, {"Origin": "https://admin.example.com"})

    assert answer.status == 403
