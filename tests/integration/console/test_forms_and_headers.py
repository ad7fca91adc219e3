"""Forged forms, and the headers of every page of the console."""

from urllib.parse import parse_qs, urlsplit

import pytest

from tests.integration.browsing import Browser, PageSeen
from tests.integration.console.sign_in import enter, link_of
from tests.integration.system import System, Tenant


def has_account(system: System, name: str) -> bool:
    return any(item.get("name") == {"S": name} for item in system.items("ConfigTable"))


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
