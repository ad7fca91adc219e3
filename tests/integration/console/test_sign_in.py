"""The console over HTTP, without a script: signing in and out, forms, and the operator's pages."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from perkwire.model.account import key_hash
from tests.integration.browsing import Browser, ConsoleServer, PageSeen
from tests.integration.system import System, Tenant, strings_in, until
from tests.receiver import Receiver

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "</textarea></title></style><svg onload=alert(1)>",
    "javascript:alert(1)",
)


def link_of(system: System, tenant: Tenant, key: str, **fields: object) -> str:
    """The path of a new console link."""
    path = f"/v1/accounts/{tenant.id}/console-links"
    answer = system.call("POST", path, fields or None, key=key)
    assert answer.status == 201, answer
    url = urlsplit(answer.json["url"])
    assert url.path == "/console/enter"
    return f"{url.path}?{url.query}"


def is_signed_in(browser: Browser) -> bool:
    return not browser.get("/console").location.startswith("/console/sign-in")


def has_account(system: System, name: str) -> bool:
    return any(item.get("name") == {"S": name} for item in system.items("ConfigTable"))


def listing(operator: Browser, account_id: str) -> PageSeen:
    """The page of the list of accounts that this one is on: other tests have made many."""
    page = operator.get("/console/accounts")
    while account_id not in page.html:
        (following,) = [
            str(each["href"]) for _, each in page.elements if "cursor=" in str(each.get("href"))
        ]
        page = operator.get(following)
    return page


@pytest.fixture
def operator(browser: Browser, operator_key: str) -> Browser:
    """A browser in which an operator is signed in."""
    browser.sign_in(operator_key)
    return browser


@pytest.fixture
def another_browser(console: ConsoleServer) -> Browser:
    return Browser(console.url)


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
            ("/console/log/jobs/count", "/console/log"),
            ("/console/elsewhere", "/console"),
            ("/v1/events", "/console"),
            ("", "/console"),
        ],
    )
    def test_a_form_sent_after_it_leads_back_to_its_page_and_says_that_nothing_was_saved(
        self, browser: Browser, tenant: Tenant, referer: str, back: str
    ) -> None:
        browser.sign_in(tenant.key)
        form = browser.open("/console/webhooks/new").form("/console/webhooks")
        browser.session = "of-a-session-that-has-ended"
        headers = {"Sec-Fetch-Site": "same-origin", "Referer": f"{browser.url}{referer}"}
        fields = {**dict(form.fields), "name": "till", "url": "https://shop.example/hook"}

        page = browser.post(form.action, fields, headers)
        asked = browser.open(page.location)
        signed_in = browser.submit(asked.form("/console/sign-in"), key=tenant.key)

        assert "what you sent was not saved" in asked.text
        assert signed_in.location == back
        assert browser.open(back).status == 200
        assert tenant.get("/v1/webhooks")["data"] == []

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


class TestForms:
    @pytest.mark.parametrize("csrf", [None, "", "0" * 64])
    def test_a_form_without_its_token_changes_nothing(
        self, system: System, operator: Browser, csrf: str | None
    ) -> None:
        fields = {"name": "Forged"} | ({} if csrf is None else {"csrf": csrf})

        page = operator.post("/console/accounts", fields)

        assert page.status == 403
        assert "This form is no longer valid." in page.text
        assert not has_account(system, "Forged")

    def test_the_token_of_another_session_is_refused(
        self, operator: Browser, another_browser: Browser, operator_key: str
    ) -> None:
        form = operator.get("/console/accounts/new").form("/console/accounts")
        another_browser.sign_in(operator_key)

        assert another_browser.submit(form, name="Forged").status == 403
        assert operator.submit(form, name="Ours").status == 303

    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site", "Origin": "{own}"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
            {},
        ],
        ids=repr,
    )
    def test_a_form_from_elsewhere_is_refused_even_with_the_token(
        self, system: System, operator: Browser, headers: dict[str, str]
    ) -> None:
        form = operator.get("/console/accounts/new").form("/console/accounts")
        sent = {name: value.format(own=operator.url) for name, value in headers.items()}

        page = operator.post(form.action, {**dict(form.fields), "name": "Forged"}, sent)

        assert page.status == 403
        assert "did not come from the console" in page.text
        assert not has_account(system, "Forged")

    def test_a_browser_that_names_only_its_origin_may_send_forms(self, operator: Browser) -> None:
        form = operator.get("/console/accounts/new").form("/console/accounts")
        fields = {**dict(form.fields), "name": "Ours"}

        assert operator.post(form.action, fields, {"Origin": operator.url}).status == 303

    def test_nobody_is_signed_in_or_by_a_link_from_elsewhere(
        self, system: System, browser: Browser, tenant: Tenant, operator_key: str
    ) -> None:
        token = parse_qs(urlsplit(link_of(system, tenant, operator_key)).query)["token"][0]
        evil = {"Sec-Fetch-Site": "cross-site"}

        assert browser.post("/console/sign-in", {"key": operator_key}, evil).status == 403
        assert browser.post("/console/enter", {"token": token}, evil).status == 403
        assert browser.post("/console/enter", {"token": token}).status == 303

    def test_a_form_made_in_one_account_does_nothing_in_another(
        self, operator: Browser, tenant: Tenant, another_tenant: Tenant
    ) -> None:
        enter(operator, tenant)
        form = operator.get(f"/console/accounts/{tenant.id}/edit").form(
            f"/console/accounts/{tenant.id}/edit"
        )
        enter(operator, another_tenant)

        assert operator.submit(form, name="Of the first tab").status == 403

    @pytest.mark.parametrize("body", [b"csrf=\xff\xfe", b"csrf=%ff", b"a=1&" * 3_000])
    def test_a_form_that_cannot_be_read_is_an_error_page(
        self, operator: Browser, body: bytes
    ) -> None:
        page = operator.post_bytes("/console/accounts", body)

        assert page.status == 400
        assert "The form cannot be read." in page.text


def enter(operator: Browser, tenant: Tenant) -> PageSeen:
    path = f"/console/accounts/{tenant.id}"
    return operator.submit(operator.get(path).form(f"{path}/enter"))


class TestEveryAnswer:
    @pytest.fixture
    def answers(self, operator: Browser, tenant: Tenant) -> list[PageSeen]:
        path = f"/console/accounts/{tenant.id}"
        style = next(
            str(attributes["href"])
            for _, attributes in operator.get("/console/sign-in").elements
            if attributes.get("rel") == "stylesheet"
        )
        return [
            operator.get("/console"),
            operator.get("/console/sign-in"),
            operator.get("/console/enter?token=x"),
            operator.get("/console/accounts"),
            operator.get(path),
            operator.get("/console/queues"),
            operator.get("/console/no-such-page"),
            operator.get("/console/static/none.css"),
            operator.get(style),
            operator.post("/console/accounts", {}),
            operator.post("/console/accounts", {}, {}),
        ]

    def test_lets_nothing_foreign_in_and_tells_no_one(self, answers: list[PageSeen]) -> None:
        for answer in answers:
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "form-action 'self'" in policy
            assert "base-uri 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "same-origin"
            assert answer.headers["strict-transport-security"].startswith("max-age=")

    def test_is_kept_by_no_cache_but_for_files_whose_names_change(
        self, answers: list[PageSeen]
    ) -> None:
        kept = [one for one in answers if one.headers["cache-control"] != "no-store"]

        (style,) = kept
        assert style.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert style.headers["content-type"].startswith("text/css")

    def test_has_no_script_or_style_but_in_files_of_ours(self, answers: list[PageSeen]) -> None:
        for answer in answers:
            for tag, attributes in answer.elements:
                assert tag != "style"
                assert "style" not in attributes
                assert not [name for name in attributes if name.startswith("on")]
                for name in ("src", "href", "action"):
                    target = attributes.get(name)
                    assert target is None or target.startswith(("/console", "#")), target
                if tag == "script":
                    assert attributes.get("src")

    def test_the_first_page_is_below_60_kb_all_told(self, browser: Browser) -> None:
        page = browser.get("/console/sign-in")
        files = {
            str(target)
            for _, attributes in page.elements
            for target in (attributes.get("src"), attributes.get("href"))
            if target and "/static/" in target
        }

        assert len(files) == 3
        assert len(page.html) + sum(len(browser.get(file).html) for file in files) < 60_000


class TestOperatorPages:
    def test_an_account_is_made_changed_and_given_a_key_that_is_shown_once(
        self, system: System, operator: Browser
    ) -> None:
        form = operator.get("/console/accounts/new").form("/console/accounts")
        made = operator.submit(form, name="Zylker", notify_emails="ops@zylker.example\r\n\r\n")
        path = made.location.partition("?")[0]
        page = operator.get(made.location)
        assert "The account is created." in page.text
        assert "ops@zylker.example" in page.text

        edit = operator.get(f"{path}/edit").form(f"{path}/edit")
        assert ("notify_emails", "ops@zylker.example") in edit.fields
        operator.submit(edit, name="Zylker Coffee", notify_emails="")
        assert "Nobody gets notices" in operator.get(path).text

        new = operator.get(f"{path}/api-keys/new").form(f"{path}/api-keys")
        shown = operator.submit(new, name="backend", scopes=["events", "webhooks"])
        assert shown.status == 201
        (key,) = [code for code in shown.codes() if code.startswith("pk_")]
        system.secrets.add(key)
        assert system.call("GET", "/v1/webhooks", key=key).status == 200
        assert key not in operator.get(path).html

        (revoke,) = [one for one in operator.get(path).forms if one.action.endswith("/revoke")]
        assert revoke.button == "Revoke backend"
        operator.submit(revoke)
        assert system.call("GET", "/v1/webhooks", key=key).status == 403

    def test_what_is_wrong_stands_at_its_field_and_nothing_is_typed_twice(
        self, operator: Browser
    ) -> None:
        form = operator.get("/console/accounts/new").form("/console/accounts")

        page = operator.submit(form, name="Zylker", notify_emails="a@b.example\r\nnobody")

        assert page.status == 422
        again = dict(page.form("/console/accounts").fields)
        assert again["name"] == "Zylker"
        assert again["notify_emails"] == "a@b.example\nnobody"
        invalid = [each for _, each in page.elements if "aria-invalid" in each]
        assert [each["name"] for each in invalid] == ["notify_emails"]
        described = str(invalid[0]["aria-describedby"]).split()
        ids = [each.get("id") for _, each in page.elements]
        assert set(described) <= set(ids)

    def test_a_link_is_shown_once_and_works(
        self, operator: Browser, another_browser: Browser, tenant: Tenant
    ) -> None:
        path = f"/console/accounts/{tenant.id}"
        page = operator.submit(
            operator.get(path).form(f"{path}/console-links"), expires_in_minutes="5"
        )

        assert page.status == 201
        (url,) = [code for code in page.codes() if "/console/enter?token=" in code]
        assert url not in operator.get(path).html
        link = another_browser.get(urlsplit(url).path + "?" + urlsplit(url).query)
        assert another_browser.submit(link.form("/console/enter")).status == 303

    def test_too_long_a_link_is_refused_at_its_field(
        self, operator: Browser, tenant: Tenant
    ) -> None:
        path = f"/console/accounts/{tenant.id}"
        form = operator.get(path).form(f"{path}/console-links")

        for minutes in ("61", "0", "soon", "-1"):
            page = operator.submit(form, expires_in_minutes=minutes)
            assert page.status == 422
            assert "must be a whole number from 1 to 60" in page.text

    def test_an_operator_in_an_account_sees_so_on_every_page(
        self, operator: Browser, tenant: Tenant
    ) -> None:
        banner = "You are in the account Brew & Bean as an operator."
        assert banner not in operator.get("/console/accounts").text

        enter(operator, tenant)

        for path in ("/console/accounts", "/console/queues", "/console/no-such-page"):
            assert banner in operator.get(path).text
        operator.submit(operator.get("/console/queues").form("/console/leave"))
        assert banner not in operator.get("/console/accounts").text

    def test_what_is_not_there_is_a_page_that_says_so(self, operator: Browser) -> None:
        for path in (
            "/console/accounts/acct_0000000000000000",
            f"/console/accounts/{'a' * 129}",
            "/console/accounts/x/y/z",
            "/console/static/console.css",
        ):
            assert operator.get(path).status == 404

    @pytest.mark.parametrize("name", HOSTILE)
    def test_hostile_names_are_text_wherever_they_are_shown(
        self, system: System, operator: Browser, operator_key: str, name: str
    ) -> None:
        made = system.call("POST", "/v1/accounts", {"name": name}, key=operator_key).json
        path = f"/console/accounts/{made['id']}"
        new = operator.get(f"{path}/api-keys/new").form(f"{path}/api-keys")
        key_page = operator.submit(new, name=name, scopes="events")
        tenant_link = operator.submit(operator.get(path).form(f"{path}/console-links"))
        (url,) = [code for code in tenant_link.codes() if "token=" in code]
        operator.submit(operator.get(path).form(f"{path}/enter"))

        pages = [
            key_page,
            listing(operator, made["id"]),
            operator.get(path),
            operator.get(f"{path}/edit"),
            operator.get(f"{path}/api-keys/new"),
            operator.get("/console/enter?" + urlsplit(url).query),
            operator.submit(
                operator.get(f"{path}/edit").form(f"{path}/edit"), name=name, notify_emails=name
            ),
        ]

        for page in pages:
            assert " ".join(name.split()) in page.text or any(
                name == value for form in page.forms for _, value in form.fields
            )
            tags = {tag for tag, _ in page.elements}
            assert not tags & {"style", "svg", "iframe", "object", "base"}
            assert [each.get("src") for tag, each in page.elements if tag == "script"] == [
                each.get("src") for tag, each in pages[0].elements if tag == "script"
            ]
            for _, attributes in page.elements:
                assert not [each for each in attributes if each.startswith("on")]
                assert not str(attributes.get("href")).startswith("javascript:")

    def test_hostile_parameters_are_text_or_ignored(self, browser: Browser) -> None:
        for path in (
            "/console/sign-in?why=%3Cscript%3E&next=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
            "/console/sign-in?done=%3Cscript%3E",
            "/console/enter?token=%22%3E%3Cscript%3E",
            "/console/%3Cscript%3Ealert(1)%3C/script%3E",
        ):
            page = browser.get(path)
            scripts = [each for tag, each in page.elements if tag == "script"]
            assert len(scripts) == 1, path


class TestQueues:
    @pytest.fixture
    def dead(self, system: System, tenant: Tenant, receiver: Receiver) -> Iterator[None]:
        """Three dead letters."""
        tenant.webhook(receiver.endpoint(*[500] * 99).url)
        tenant.post(*tenant.some_events(3))
        system.route()
        system.dispatch_all()
        yield
        system.empty_queues()

    def figures(self, page: PageSeen) -> list[str]:
        parts = page.text.split("Resting")[1:]
        return [part.split()[0] for part in parts]

    def test_shows_what_rests_and_brings_it_back(
        self, dead: None, system: System, operator: Browser
    ) -> None:
        page = operator.get("/console/queues")
        assert self.figures(page) == ["3", "0"]
        assert "Start DLQ redrive" in page.text
        name = system.queue("DeadLetterQueue").rpartition("/")[2]
        assert name in page.codes()

        done = operator.submit(page.form("/console/queues/redrives"))

        assert done.status == 303
        assert "The redrive is started." in operator.get(done.location).text
        until(lambda: len(system.bodies("DeliveryQueue")) == 3, "the redriven deliveries")
        after = operator.get("/console/queues")
        assert self.figures(after) == ["0", "0"]
        assert "completed" in after.text

    def test_a_slow_redrive_is_watched_and_cancelled(self, dead: None, operator: Browser) -> None:
        form = operator.get("/console/queues").form("/console/queues/redrives")
        operator.submit(form, max_per_second="1")

        running = operator.get("/console/queues")
        assert "A redrive is running." in running.text
        assert "1 a second" in running.text
        assert any(each.get("data-reload") for _, each in running.elements)
        again = operator.submit(form)
        assert again.status == 409
        assert "cancel it or wait for its end" in again.text

        cancelled = operator.submit(running.form("/console/queues/redrives/cancel"))
        assert cancelled.status == 303
        until(lambda: "cancelled" in operator.get("/console/queues").text, "the redrive cancelled")

    @pytest.mark.parametrize("fields", [{"max_per_second": "501"}, {"max_per_second": "fast"}])
    def test_a_rate_that_sqs_does_not_know_is_refused(
        self, dead: None, operator: Browser, fields: dict[str, Any]
    ) -> None:
        form = operator.get("/console/queues").form("/console/queues/redrives")

        page = operator.submit(form, **fields)

        assert page.status == 422
        assert "must be a whole number from 1 to 500" in page.text
