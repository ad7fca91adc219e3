"""Which custom headers are refused: each by a rule that says why, however the name is written."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.dispatching.rendering import OpenedSecrets, render
from perkwire.formats.format import Unrenderable, header_names
from perkwire.formats.registry import FORMATS
from perkwire.model.endpoint import check_header_name, check_headers, unsendable
from perkwire.model.header_rules import (
    CONNECTION,
    FORWARDING,
    IDENTITY,
    RULES,
    SIGNATURE,
    HeaderRule,
    broken_rule,
    folded,
)
from perkwire.primitives.fields import Fields
from tests.builders import NOW, a_delivery_message, a_webhook

ROOT = Path(__file__).parents[3]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

REFUSED: dict[HeaderRule, list[str]] = {
    CONNECTION: [
        "Host",
        "HOST",
        "Connection",
        "Keep-Alive",
        "TE",
        "Trailer",
        "Upgrade",
        "Transfer-Encoding",
        "Expect",
        "Content-Length",
        "Content-Type",
        "content-encoding",
        "User-Agent",
        "Accept-Encoding",
        "HTTP2-Settings",
        "Proxy",
        "Proxy-Authorization",
        "Proxy-Connection",
        "Sec-Fetch-Site",
        "webhook-id",
        "Webhook-Signature",
        "svix-id",
        "SVIX-Timestamp",
    ],
    FORWARDING: [
        "Forwarded",
        "Via",
        "X-Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-User",
        "X-Forwarded-Client-Cert",
        "X-Forward-For",
        "X-ForwardedFor",
        "Client-IP",
        "X-Client-IP",
        "X-ClientIP",
        "X-Cluster-Client-IP",
        "True-Client-IP",
        "WL-Proxy-Client-IP",
        "X-ProxyUser-IP",
        "X-Real-IP",
        "X-Remote-IP",
        "X-Remote-Addr",
        "X-Originating-IP",
        "X-Envoy-External-Address",
        "X-Envoy-Original-Path",
        "CF-Connecting-IP",
        "CF-Connecting-IPv6",
        "CF-IPCountry",
        "CF-Ray",
        "Fastly-Client-IP",
        "X-Azure-SocketIP",
        "X-Scheme",
        "X-URL-Scheme",
        "Front-End-Https",
        "X-Host",
        "X-Original-URL",
        "X-Original-Host",
        "X-Original-Forwarded-For",
        "X-Rewrite-URL",
        "X-HTTP-Method",
        "X-HTTP-Method-Override",
        "X-Method-Override",
        "Script-Name",
        "Path-Info",
        "X-Accel-Mapping",
        "X-Sendfile-Type",
        "X-Amz-Date",
        "x-amzn-trace-id",
        "x-amzn-oidc-identity",
        "X-HTTP-Host-Override",
        "X-Cluster-IP",
        "X-Proxy-URL",
        "X-Middleware-Subrequest",
    ],
    IDENTITY: [
        "Remote-User",
        "X-Remote-User",
        "X-Remote-Group",
        "X-Auth-Request-User",
        "X-Auth-Request-Email",
        "X-Auth-User",
        "X-Auth-Username",
        "X-Authenticated-User",
        "X-WebAuth-User",
        "X-Authentik-Username",
        "X-Consumer-Username",
        "X-Userinfo",
        "X-MS-Client-Principal-Name",
        "X-Goog-IAP-JWT-Assertion",
        "X-Goog-Authenticated-User-Email",
        "OIDC-Claim-Sub",
        "Tailscale-User-Login",
        "SSL-Client-Verify",
        "X-SSL-Client-Verify",
        "X-SSL-Client-S-DN",
        "X-TLS-Client-Subject",
        "X-Client-Verify",
        "X-Client-Cert",
        "Client-Cert-Chain",
        "SM-User",
        "iv-user",
        "X-User",
        "X-Email",
        "X-Groups",
        "X-Vouch-User",
        "X-Principal-Id",
        "X-Token-Subject",
        "Impersonate-User",
        "Teleport-JWT-Assertion",
        "X-Subject-DN",
        "X-Peer-Certificate",
        "X-Apigateway-Api-Userinfo",
        "X-Endpoint-API-UserInfo",
        "GAP-Auth",
        "X-RH-Identity",
        "X-Proxy-User",
        "X-LDAP-User",
        "X-Kerberos-Principal",
        "X-CAS-User",
        "X-OAuth-User",
        "X-Roles",
        "L5D-Client-Id",
    ],
    SIGNATURE: [
        "Nonce",
        "X-Zinrelo-Signature",
        "X-Qualifio-Signature",
        "X-Voucherify-Signature",
        "Signature-Input",
        "X-Hub-Signature-256",
        "X-Shopify-Hmac-SHA256",
        "X-Sig",
        "Digest",
        "X-Webhook-Timestamp",
        "PayPal-Transmission-Sig",
        "Verif-Hash",
    ],
}
OWNERS = [
    "Authorization",
    "Cookie",
    "Accept",
    "Idempotency-Key",
    "X-API-Key",
    "X-Auth-Token",
    "X-Auth-Key",
    "X-Access-Token",
    "X-Client-Id",
    "X-Client-Secret",
    "X-Thrive-Token",
    "X-Goog-API-Key",
    "X-Functions-Key",
    "X-Shop",
    "X-Hostname",
    "X-Original",
    "X-Method",
    "X-User-Agent-Id",
    "X-User-Id",
    "X-Config",
    "X-Proximity",
    "X-Castle",
    "X-Role-Model",
    "X-Shop-Userinfo-Id",
    "X-Emails",
    "X-Design",
    "X-CF-Shop",
    "X-Request-Id",
    "X-Webhook-Token",
    "X-UUID",
    "Traceparent",
    "CF-Access-Client-Id",
    "CF-Access-Client-Secret",
]


@pytest.mark.parametrize(
    ("rule", "name"), [(rule, name) for rule, names in REFUSED.items() for name in names]
)
def test_a_name_that_is_not_the_owners_is_refused_however_it_is_written(
    rule: HeaderRule, name: str
) -> None:
    for written in (name, name.lower(), name.upper(), name.replace("-", "_")):
        assert check_headers({written: "x"}) == [(written, rule.detail)]


@pytest.mark.parametrize("name", OWNERS)
def test_a_name_that_is_the_owners_is_taken(name: str) -> None:
    for written in (name, name.lower(), name.replace("-", "_")):
        assert check_headers({written: "x"}) == {written: "x"}


# What formats set and no signature covers. Each is refused where the webhook's own format sets it
# (tests/unit/managing/test_webhook_formats.py): to receivers of other formats it means nothing.
TELLING = {
    "loyaltylion@2": {"x-loyaltylion-topic", "x-loyaltylion-site-domain"},
    "square-loyalty@1": {"square-environment"},
    "talon-one@1": {"x-uuid"},
    "open-loyalty@1": {"x-webhook-request-id"},
}


@pytest.mark.parametrize("name", FORMATS)
def test_no_custom_header_is_one_that_a_format_signs_with(name: str) -> None:
    format_ = FORMATS[name]
    taken = header_names(format_, format_.read_settings(Fields({})))

    assert {one for one in taken if not check_header_name(one)} == TELLING.get(name, set())


def test_a_header_that_signs_may_be_called_a_signature_and_nothing_else_that_is_refused() -> None:
    assert check_header_name("x-shop-signature", signs=True) is None
    assert check_header_name("x-shop-signature") == SIGNATURE.detail
    for rule, names in REFUSED.items():
        if rule is not SIGNATURE:
            assert check_header_name(names[0], signs=True) == rule.detail


@given(st.sampled_from([name for names in REFUSED.values() for name in names]), st.data())
def test_no_mix_of_case_and_of_signs_gets_past_a_rule(name: str, data: st.DataObject) -> None:
    written = "".join(
        data.draw(st.sampled_from("-_"))
        if one in "-_"
        else data.draw(st.sampled_from([one.lower(), one.upper()]))
        for one in name
    )

    assert isinstance(check_headers({written: "x"}), list)


# What a release with a shorter list has stored.
STORED = {"X-Remote-User": "till-7", "Client_IP": "203.0.113.9", "X-Hub-Signature": "abc"}


def test_stored_headers_that_a_later_rule_refuses_are_sent_as_they_are() -> None:
    request = render(a_delivery_message(), a_webhook(), OpenedSecrets(SECRET, STORED), NOW)

    assert {name: request.headers[name] for name in STORED} == STORED
    assert isinstance(check_headers(STORED), list)


@pytest.mark.parametrize(
    "headers",
    [
        {"Transfer-Encoding": "chunked"},
        {"webhook-id": "msg_1"},
        {"X-A": "b\r\nX-B: c"},
        {"a b": "c"},
    ],
)
def test_stored_headers_that_would_break_a_request_are_not_sent(headers: dict[str, str]) -> None:
    assert unsendable(headers)
    with pytest.raises(Unrenderable):
        render(a_delivery_message(), a_webhook(), OpenedSecrets(SECRET, headers), NOW)


def test_the_page_has_each_rule_with_its_patterns() -> None:
    page = (ROOT / "docs" / "api.md").read_text()

    for rule in RULES:
        patterns = ", ".join(f"`{one}`" for one in rule.patterns)
        assert f"| {rule.detail} | {patterns} |" in page


@given(st.text(max_size=20))
def test_a_rule_is_of_the_folded_name_alone(name: str) -> None:
    assert broken_rule(name) == broken_rule(folded(name))
