"""Signing in to the console and out of it, by key and by link."""

from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie

import pytest

from perkwire.model.account import key_hash
from tests.integration.browsing import Browser, ConsoleServer, PageSeen
from tests.integration.console.sign_in import enter, link_of
from tests.integration.system import System, Tenant, strings_in


def is_signed_in(browser: Browser) -> bool:
    return not browser.get("/console").location.startswith("/console/sign-in")


class TestSigningIn:
    def test_who_is_not_signed_in_is_asked_to_and_then_gets_where_they_wanted(
        self, browser: Browser, operator_key: str
    ) -> None:
        asked = browser.get("/console/accounts?cursor=abc")
        assert asked.status == 303

        page = browser.get(asked.location)
        done = browser.submit(page.form("/console/sign-in"), key=operator_key)

        assert (done.status, done.location) == (303, "/console/accounts?cursor=abc")

    @pytest.mark.parametrize(
        "path",
        [
            "https://evil.example/",
            "//evil.example",
            "/\\evil.example",
            "/console/\\x",
            "/v1/events",
        ],
    )
    def test_signing_in_leads_to_no_other_site(
        self, browser: Browser, operator_key: str, path: str
    ) -> None:
        fields = {"next": path, "key": operator_key}

        assert browser.post("/console/sign-in", fields).location == "/console"

    def test_an_accounts_key_opens_its_account_and_no_operators_page(
        self, browser: Browser, tenant: Tenant
    ) -> None:
        browser.sign_in(tenant.key)

        assert is_signed_in(browser)
        for path in (
            "/console/accounts",
            "/console/accounts/new",
            f"/console/accounts/{tenant.id}",
            "/console/queues",
        ):
            page = browser.get(path)
            assert page.status == 403
            assert "Accounts" not in page.text
            assert "Sign out" in page.text

    def test_a_key_that_is_none_or_only_sends_events_is_refused(
        self, browser: Browser, tenant: Tenant
    ) -> None:
        wrong = browser.sign_in("pk_no-such-key")
        events = browser.sign_in(tenant.new_key("events"))

        assert wrong.status == 422
        assert "is not an API key that works" in wrong.text
        assert events.status == 403
        assert "It needs the scope webhooks." in events.text
        assert not is_signed_in(browser)

    def test_the_key_is_not_on_the_page_that_refuses_it(self, browser: Browser) -> None:
        assert "pk_wrong-key" not in browser.sign_in("pk_wrong-key").html

    def test_the_session_is_a_cookie_that_no_other_host_sets_or_gets_and_no_script(
        self, system: System, browser: Browser, operator_key: str
    ) -> None:
        (cookie,) = browser.sign_in(operator_key).cookies
        (morsel,) = SimpleCookie(cookie).values()

        assert morsel.key.startswith("__Host-")  # browsers hold it to what follows
        assert len(morsel.value) == 43
        assert morsel["httponly"]
        assert morsel["secure"]
        assert morsel["samesite"] == "Lax"
        assert morsel["path"] == "/"
        assert morsel["max-age"] == str(8 * 3600)
        assert not morsel["domain"]
        kept = [*strings_in(system.items("ConfigTable"))]
        assert any(key_hash(morsel.value) in text for text in kept)
        assert not any(morsel.value in text for text in kept)

    def test_each_sign_in_has_a_session_of_its_own(
        self, browser: Browser, operator_key: str
    ) -> None:
        seen = set()
        for _ in range(2):
            browser.sign_in(operator_key)
            seen.add(browser.session)

        assert len(seen) == 2


class TestEndOfASession:
    def test_signing_out_ends_it_for_a_copy_of_the_cookie_too(
        self, operator: Browser, another_browser: Browser
    ) -> None:
        another_browser.session = operator.session
        assert is_signed_in(another_browser)

        out = operator.submit(operator.open("/console").form("/console/sign-out"))

        assert operator.session is None
        assert "You are signed out." in operator.get(out.location).text
        assert not is_signed_in(another_browser)

    def test_a_revoked_key_ends_it_at_the_next_page(
        self, system: System, browser: Browser, tenant: Tenant, operator_key: str
    ) -> None:
        browser.sign_in(tenant.key)
        path = f"/v1/accounts/{tenant.id}/api-keys"
        for api_key in system.call("GET", path, key=operator_key).json["data"]:
            system.call("DELETE", f"{path}/{api_key['id']}", key=operator_key)

        page = browser.get("/console")

        assert page.location.startswith("/console/sign-in")
        assert browser.session is None
        assert "Your session has ended." in browser.get(page.location).text

    @pytest.mark.parametrize(
        ("referer", "back"),
        [
            ("/console/webhooks/new", "/console/webhooks/new"),
            ("/console/log?status=failed&webhook_id=", "/console/log?status=failed&webhook_id="),
            ("/console/types/points.earned/test", "/console/types/points.earned"),
            ("/console/webhooks/preview?x=1", "/console/webhooks"),
            ("/console/log/retry", "/console/log"),
            ("/console/elsewhere", "/console"),
            ("/v1/events", "/console"),
            ("", "/console"),
        ],
    )
    def test_a_part_that_a_script_asks_for_after_it_leads_back_to_its_page(
        self, browser: Browser, tenant: Tenant, referer: str, back: str
    ) -> None:
        browser.sign_in(tenant.key)
        form = browser.open("/console/webhooks/new").form("/console/webhooks")
        browser.session = "of-a-session-that-has-ended"
        headers = {"Sec-Fetch-Site": "same-origin", "Referer": f"{browser.url}{referer}"}

        page = browser.post(form.action, {**dict(form.fields), "part": "outcome"}, headers)
        asked = browser.open(page.location)
        signed_in = browser.submit(asked.form("/console/sign-in"), key=tenant.key)

        assert "what you sent was not saved" in asked.text
        assert signed_in.location == back
        assert browser.open(back).status == 200

    @pytest.mark.parametrize("session", ["of-a-session-that-has-ended", None])
    def test_a_form_sent_after_it_is_kept_and_goes_on_once_signed_in(
        self, browser: Browser, tenant: Tenant, session: str | None
    ) -> None:
        browser.sign_in(tenant.key)
        form = browser.open("/console/webhooks/new").form("/console/webhooks")
        browser.session = session
        fields = {"name": 'till "<b>', "url": "https://shop.example/hook", "description": "a\r\nb"}

        asked = browser.submit(form, **fields, event_types=["points.earned", "tier.upgraded"])
        assert (asked.status, tenant.get("/v1/webhooks")["data"]) == (403, [])
        assert "What you sent is not saved yet, and is kept on this page" in asked.text
        wrong = browser.submit(asked.form("/console/sign-in"), key="pk_none")
        again = browser.submit(wrong.form("/console/sign-in"), key=tenant.key)
        assert "is still here, for the account Brew & Bean" in again.text
        assert tenant.get("/v1/webhooks")["data"] == []
        kept = again.form("/console/webhooks")
        made = browser.post(kept.action, kept.fields)

        assert made.status == 201
        (stored,) = tenant.get("/v1/webhooks")["data"]
        assert (stored["name"], stored["description"]) == ('till "<b>', "a\nb")

    def test_who_has_signed_in_in_another_tab_goes_on_too(
        self, browser: Browser, tenant: Tenant
    ) -> None:
        browser.sign_in(tenant.key)
        form = browser.open("/console/webhooks/new").form("/console/webhooks")
        browser.session = None
        asked = browser.submit(form, name="till", url="https://shop.example/hook")
        assert browser.submit(asked.form("/console/go-on")).form("/console/go-on").fields
        browser.sign_in(tenant.key)

        going_on = browser.submit(asked.form("/console/go-on"))

        assert browser.submit(going_on.form("/console/webhooks")).status == 201

    def test_what_was_for_one_account_does_not_go_on_in_another(
        self, browser: Browser, tenant: Tenant, another_tenant: Tenant
    ) -> None:
        browser.sign_in(tenant.key)
        form = browser.open("/console/webhooks/new").form("/console/webhooks")
        browser.session = None
        asked = browser.submit(form, name="till", url="https://shop.example/hook")

        answer = browser.submit(asked.form("/console/sign-in"), key=another_tenant.key)

        assert "was for another account" in answer.text
        assert "shop.example" not in answer.html

    def test_an_operator_goes_on_in_the_account_that_it_was_for(
        self, operator: Browser, tenant: Tenant, operator_key: str
    ) -> None:
        enter(operator, tenant)
        form = operator.open("/console/webhooks/new").form("/console/webhooks")
        operator.session = None
        asked = operator.submit(form, name="till", url="https://shop.example/hook")

        going_on = operator.submit(asked.form("/console/sign-in"), key=operator_key)

        assert operator.submit(going_on.form("/console/webhooks")).status == 201
        assert len(tenant.get("/v1/webhooks")["data"]) == 1

    @pytest.mark.parametrize(
        "path", ["https://elsewhere.example/", "//elsewhere.example", "/console/elsewhere", "x"]
    )
    def test_nothing_is_carried_to_where_no_form_goes(
        self, browser: Browser, tenant: Tenant, path: str
    ) -> None:
        form = browser.get("/console/sign-in").form("/console/sign-in")

        answer = browser.submit(form, key=tenant.key, kept_path=path, kept_fields="a=b")

        assert answer.location.startswith("/console")
        assert "elsewhere.example" not in answer.html

    def test_it_ends_at_its_time(self, system: System, operator: Browser) -> None:
        assert is_signed_in(operator)
        dynamodb = system.stack.client("dynamodb")
        for item in system.items("ConfigTable"):
            if item["kind"]["S"] == "session":
                dynamodb.update_item(
                    TableName=system.stack.resources["ConfigTable"],
                    Key={name: item[name] for name in ("pk", "sk")},
                    UpdateExpression="SET #until = :past",
                    ExpressionAttributeNames={"#until": "until"},
                    ExpressionAttributeValues={":past": {"N": "1"}},
                )

        assert not is_signed_in(operator)

    @pytest.mark.parametrize(
        "cookie", ["", "x", "a" * 5_000, "%00", "=;", "ü".encode().decode("latin-1")]
    )
    def test_a_cookie_that_is_none_of_ours_is_nobody(self, browser: Browser, cookie: str) -> None:
        browser.session = cookie

        assert browser.get("/console/accounts").status == 303


class TestConsoleLinks:
    def test_a_link_asks_first_and_then_signs_in_as_its_account(
        self, system: System, browser: Browser, tenant: Tenant, operator_key: str
    ) -> None:
        path = link_of(system, tenant, operator_key)
        for _ in range(2):
            page = browser.get(path)
            assert "Sign in as Brew & Bean" in page.text
            assert page.cookies == []

        done = browser.submit(page.form("/console/enter"))

        assert (done.status, done.location) == (303, "/console")
        assert is_signed_in(browser)
        assert browser.get("/console/accounts").status == 403

    def test_of_eight_at_once_one_is_signed_in(
        self, system: System, console: ConsoleServer, tenant: Tenant, operator_key: str
    ) -> None:
        path = link_of(system, tenant, operator_key)
        form = Browser(console.url).get(path).form("/console/enter")

        def enter(_: int) -> PageSeen:
            return Browser(console.url).submit(form)

        with ThreadPoolExecutor(8) as threads:
            pages = list(threads.map(enter, range(8)))

        assert sorted(page.status for page in pages) == [303] + [410] * 7
        assert sum(bool(page.cookies) for page in pages) == 1

    def test_a_used_mistyped_or_overlong_link_says_what_to_do(
        self, system: System, browser: Browser, tenant: Tenant, operator_key: str
    ) -> None:
        path = link_of(system, tenant, operator_key)
        browser.submit(browser.get(path).form("/console/enter"))

        for over in (path, path[:-1], f"{path}{'a' * 1000}", "/console/enter"):
            page = browser.get(over)
            assert page.status == 410
            assert "Ask your operator for a new one" in page.text

    def test_only_an_operator_makes_links_of_up_to_an_hour(
        self, system: System, tenant: Tenant, operator_key: str
    ) -> None:
        path = f"/v1/accounts/{tenant.id}/console-links"

        assert tenant.call("POST", path).status == 403
        assert system.call("POST", path, {"expires_in_minutes": 61}, key=operator_key).status == 422
        missing = path.replace(tenant.id, "acct_0000000000000000")
        assert system.call("POST", missing, key=operator_key).status == 404

    def test_without_a_configured_address_a_link_leads_to_the_host_of_the_request(
        self, system: System, tenant: Tenant, operator_key: str
    ) -> None:
        path = f"/v1/accounts/{tenant.id}/console-links"
        host = "https://api.execute-api.us-east-1.amazonaws.com"
        assert system.call("POST", path, key=operator_key).json["url"].startswith(host)

        system.restart(CONSOLE_URL="https://hooks.example/console")
        url = system.call("POST", path, key=operator_key).json["url"]

        assert url.startswith("https://hooks.example/console/enter?token=")
