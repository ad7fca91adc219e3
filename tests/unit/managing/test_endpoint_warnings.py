"""What is said of an endpoint that is allowed, and may not work."""

import pytest

from perkwire.managing.endpoint_warnings import header_warning, redirect_warning, url_warnings
from perkwire.managing.webhook_draft import EndpointRules, parse_webhook, parse_webhook_change
from perkwire.model.endpoint import EndpointPolicy
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from tests.builders import a_webhook, webhook_body

LOCAL = EndpointRules(EndpointPolicy.LOCAL, frozenset())


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://shop.example:443/hook", "http on a port where servers speak TLS"),
        ("http://shop.example:8443/hook", "http on a port where servers speak TLS"),
        ("https://shop.example:80/hook", "https on a port where servers speak plain HTTP"),
        ("https://shop.example:8080/hook", "https on a port where servers speak plain HTTP"),
        ("https://8.8.8.8/hook", "names an address"),
        ("https://[2001:4860:4860::8888]/hook", "names an address"),
        ("https://shop.example/hook?token=x", "looks like a secret"),
        ("https://shop.example/hook?a=b&API_KEY=x", "looks like a secret"),
        ("https://shop.example/hook?access_token=x", "looks like a secret"),
        ("https://shop.example/hook?password=x", "looks like a secret"),
    ],
)
def test_a_url_that_may_not_work_is_taken_with_a_warning(url: str, said: str) -> None:
    (warning,) = url_warnings(url)
    assert said in warning

    (noted,) = parse_webhook(webhook_body(url=url), LOCAL).warnings
    assert (noted.field, noted.detail) == ("url", warning)
    (noted,) = parse_webhook_change({"url": url}, LOCAL, a_webhook()).warnings
    assert (noted.field, noted.detail) == ("url", warning)


@pytest.mark.parametrize(
    "url",
    [
        "https://shop.example/hook",
        "https://shop.example:8443/hook",
        "http://127.0.0.1:5000/hook",
        "https://shop.example/hook?shop=1&monkey=2&tokenless=x&keyword=y",
        "https://shop.example/token/secret",
    ],
)
def test_of_others_nothing_is_said(url: str) -> None:
    assert [*url_warnings(url)] == []
    assert parse_webhook(webhook_body(url=url), LOCAL).warnings == ()


def test_a_header_that_nginx_drops_is_taken_with_a_warning() -> None:
    headers: dict[str, Json] = {"X_Token": "abcd", "X-Other": "abcd", "api_key": "abcd"}
    draft = parse_webhook(webhook_body(headers=headers), LOCAL)

    assert draft.headers == headers
    assert [one.field for one in draft.warnings] == ["headers.X_Token", "headers.api_key"]
    assert draft.warnings[0].detail == header_warning("X_Token")
    assert "nginx" in draft.warnings[0].detail
    assert all("abcd" not in one.detail for one in draft.warnings)


def test_a_change_of_something_else_warns_of_nothing() -> None:
    current = a_webhook(url="https://8.8.8.8/hook", headers={"X_Token": "abcd"})
    assert parse_webhook_change({"name": "New"}, LOCAL, current).warnings == ()


def test_user_and_password_are_refused_with_the_way_that_there_is() -> None:
    with pytest.raises(Problem) as raised:
        parse_webhook(webhook_body(url="https://user:canary@shop.example/"), LOCAL)
    said = str(raised.value.document())
    assert "'field': 'url'" in said
    assert "Authorization" in said
    assert "canary" not in said


def test_a_redirect_is_named() -> None:
    assert "https://new.example/hook" in redirect_warning("https://new.example/hook")
