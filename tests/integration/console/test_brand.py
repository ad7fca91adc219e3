"""The platform's own name, colour and logo, on every page from the first one on."""

from collections.abc import Iterator

import pytest

from perkwire.managing import branding
from tests.integration.browsing import Browser, PageSeen
from tests.integration.system import System, Tenant
from tests.unit.model.test_brand import a_png, an_svg

API = "/v1/brand"
PAGE = "/console/brand"


@pytest.fixture(autouse=True)
def none_before_and_after(system: System) -> Iterator[None]:
    """It is one for all: others find none again."""
    key = {"pk": {"S": "brand"}, "sk": {"S": "brand"}}
    yield
    table = system.stack.resources["ConfigTable"]
    system.stack.client("dynamodb").delete_item(TableName=table, Key=key)
    system.cold_start("console", "management")


def linked(page: PageSeen, rel: str) -> list[str]:
    return [str(each["href"]) for _, each in page.elements if each.get("rel") == rel]


def test_pages_have_the_name_the_colour_and_the_logo(
    operator: Browser, another_browser: Browser
) -> None:
    logo = an_svg()
    form = operator.get(PAGE).form(PAGE)

    saved = operator.submit(form, name="Zylker Loyalty", colour="#7A1FA2", logo=logo)

    assert saved.location == f"{PAGE}?done=brand-changed"
    page = another_browser.get("/console/sign-in")
    assert "Zylker Loyalty" in page.text
    assert "Perkwire" not in page.text
    (_, style), (icon,) = linked(page, "stylesheet"), linked(page, "icon")
    css = another_browser.get(style)
    assert css.headers["content-type"] == "text/css; charset=utf-8"
    assert "--accent: #7a1fa2; --accent-hover: " in css.html
    image = another_browser.get(icon)
    assert image.headers["content-type"] == "image/svg+xml"
    assert "immutable" in image.headers["cache-control"]
    assert "default-src 'none'" in image.headers["content-security-policy"]
    assert image.html.startswith("<svg")
    (head,) = [each for tag, each in page.elements if tag == "img"]
    assert (head["src"], head["width"], head["height"]) == (icon, "66", "22")


def test_a_change_is_recorded_with_its_fields(
    system: System, operator: Browser, operator_key: str
) -> None:
    operator.submit(operator.get(PAGE).form(PAGE), colour="#123456", logo=a_png())

    records = system.call("GET", "/v1/activity", key=operator_key).json["data"]

    newest = next(one for one in records if one["action"] == "brand.changed")
    assert (newest["subject"], newest["fields"]) == ("brand", ["colour", "logo"])


def test_an_old_name_has_what_there_is_today_and_others_have_nothing(operator: Browser) -> None:
    operator.submit(operator.get(PAGE).form(PAGE), colour="#123456")
    (_, before) = linked(operator.get(PAGE), "stylesheet")
    operator.submit(operator.get(PAGE).form(PAGE), colour="#654321", logo=a_png())
    (_, after) = linked(operator.get(PAGE), "stylesheet")

    assert before != after
    today, old = operator.get(after), operator.get(before)
    assert old.html == today.html
    assert "immutable" in today.headers["cache-control"]
    assert old.headers["cache-control"] == "no-store"
    for path in (
        "/console/brand/x",
        f"{after}x",
        "/console/brand/²",
    ):
        assert operator.get(path).status == 404, path


def test_another_environment_shows_it_within_a_minute(
    system: System, operator: Browser, operator_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    operator.get(PAGE)
    monkeypatch.setattr(branding, "KEPT_SECONDS", -1)

    answer = system.call("PUT", API, {"name": "Zylker"}, key=operator_key)

    assert answer.json == {
        "name": "Zylker",
        "colour": None,
        "logo": None,
        "version": answer.json["version"],
    }
    assert system.call("GET", API, key=operator_key).json == answer.json
    assert "Zylker" in operator.get("/console/sign-in").text


def test_a_change_of_what_another_has_changed_shows_both(
    system: System, operator: Browser, operator_key: str
) -> None:
    form = operator.get(PAGE).form(PAGE)
    first = system.call("PUT", API, {"name": "Theirs"}, key=operator_key)

    both = operator.submit(form, name="Mine")
    assert (both.status, "Theirs" in both.text, "Mine" in both.html) == (412, True, True)

    stale = system.call(
        "PUT", API, {"name": "Mine", "version": first.json["version"] - 1}, key=operator_key
    )
    assert stale.status == 412
    assert operator.submit(both.form(PAGE)).status == 303
    assert system.call("GET", API, key=operator_key).json["name"] == "Mine"


def test_what_is_wrong_stands_at_its_field(operator: Browser) -> None:
    page = operator.submit(operator.get(PAGE).form(PAGE), colour="red", logo="a logo")

    assert page.status == 422
    assert {each["name"] for _, each in page.elements if "aria-invalid" in each} == {
        "colour",
        "logo",
    }


def test_an_accounts_admin_may_not(tenant: Tenant, admin: Browser) -> None:
    assert admin.get(PAGE).status == 403
    assert tenant.call("PUT", API, {"name": "Mine"}).status == 403
    assert tenant.call("GET", API).status == 403
