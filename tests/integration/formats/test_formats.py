"""One event, every receiver: through the system, verified as each product's receivers verify."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from standardwebhooks import Webhook as StandardWebhook
from svix.webhooks import Webhook as SvixWebhook

from perkwire.formats.contracts.contract import read_contract
from perkwire.formats.registry import FORMATS
from tests.integration.system import System, Tenant
from tests.receiver import Answer, Endpoint, ReceivedRequest, Receiver

UPGRADE: dict[str, Any] = {
    "id": "upgrade-1",
    "type": "tier.upgraded",
    "data": {
        "member": {
            "id": "826000000272053",
            "membership_id": "826000000272057",
            "email": "michael@zylker.com",
            "points": {"balance": 100},
        },
        "tier": {"previous": {"name": "silver"}, "current": {"name": "gold"}},
    },
}
OLD, NEW = "the-secret-before-it", "the-secret-after-it"


def delivered(system: System, tenant: Tenant, endpoint: Endpoint) -> ReceivedRequest:
    tenant.post(UPGRADE)
    system.route()
    system.dispatch_all()
    (request,) = endpoint.requests
    return request


def hexed(secret: str, signed: bytes, algorithm: str) -> str:
    return hmac.new(secret.encode(), signed, algorithm).hexdigest()


def test_standard(system: System, tenant: Tenant, receiver: Receiver) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url)

    request = delivered(system, tenant, endpoint)

    StandardWebhook(webhook["secret"]).verify(request.body, request.headers)
    assert request.json["data"] == UPGRADE["data"]


def test_zinrelo(system: System, tenant: Tenant, receiver: Receiver) -> None:
    endpoint = receiver.endpoint()
    tenant.webhook(endpoint.url, format="zinrelo", secret=OLD)

    request = delivered(system, tenant, endpoint)

    message = "{}:{}".format(str(request.body, "utf-8"), request.headers["nonce"])
    computed = hmac.new(OLD.encode(), message.encode("utf-8"), hashlib.sha512).hexdigest()
    assert hmac.compare_digest(computed, request.headers["x-zinrelo-signature"])
    assert (request.json["total_count"], request.json["request_id"]) == ("1", request.webhook_id)
    (event,) = request.json["events"]
    assert (event["id"], event["event_type"]) == ("upgrade-1", "event_member_tierupgrade")
    assert event["data"]["member_info"]["available_points"] == "100"


def test_zoho_thrive(system: System, tenant: Tenant, receiver: Receiver) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(
        endpoint.url, format="zoho-thrive", headers={"Authorization": "Zoho-token 17"}
    )

    request = delivered(system, tenant, endpoint)

    assert request.headers["authorization"] == "Zoho-token 17"
    StandardWebhook(webhook["secret"]).verify(request.body, request.headers)
    assert request.json == {
        "code": 200,
        "message": {
            "email_id": "michael@zylker.com",
            "previous_tier": "silver",
            "current_tier": "gold",
            "total_points": 100,
            "user_program_id": 826000000272057,
            "contact_id": 826000000272053,
            "event": "tier_upgrade",
        },
    }


@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_qualifio(system: System, tenant: Tenant, receiver: Receiver, encoding: str) -> None:
    endpoint = receiver.endpoint()
    settings = {
        "signature_header": "X-Loyalty-Hmac",
        "signature_algorithm": "sha512",
        "signature_encoding": encoding,
    }
    headers = {"x-test-authorization-header": "123456ots"}
    webhook = tenant.webhook(
        endpoint.url, format="qualifio", secret=OLD, format_settings=settings, headers=headers
    )

    request = delivered(system, tenant, endpoint)

    assert webhook["format_settings"] == {**settings, "signature_header": "x-loyalty-hmac"}
    assert request.headers["x-test-authorization-header"] == "123456ots"
    digest = hmac.new(OLD.encode(), request.body, "sha512").digest()
    expected = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
    assert request.headers["x-loyalty-hmac"] == expected
    assert [event["eventId"] for event in request.json] == ["upgrade-1"]


def test_okendo(system: System, tenant: Tenant, receiver: Receiver) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url, format="okendo")

    request = delivered(system, tenant, endpoint)

    SvixWebhook(webhook["secret"]).verify(request.body, request.headers)
    assert webhook["format"] == "okendo@2025-02-01"
    assert (request.json["resourceType"], request.json["topic"]) == ("loyalty_customer", "update")
    accepted_at = tenant.get("/v1/events/upgrade-1")["accepted_at"]
    assert request.json["sequenceNumber"].endswith(accepted_at[-7:-1])


def test_square_loyalty_signs_the_endpoints_url_too(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    settings = {"merchant_id": "ML3", "environment": "Sandbox"}
    webhook = tenant.webhook(
        endpoint.url, format="square-loyalty", secret=OLD, format_settings=settings
    )

    request = delivered(system, tenant, endpoint)

    assert (webhook["format"], webhook["format_settings"]) == ("square-loyalty@1", settings)
    digest = hmac.new(OLD.encode(), endpoint.url.encode() + request.body, "sha256").digest()
    assert request.headers["x-square-hmacsha256-signature"] == base64.b64encode(digest).decode()
    assert request.headers["square-environment"] == "Sandbox"
    assert (request.json["merchant_id"], request.json["type"], request.json["event_id"]) == (
        "ML3",
        "loyalty.account.updated",
        "upgrade-1",
    )


@pytest.mark.parametrize(
    ("name", "header", "encoding"),
    [
        ("loyaltylion", "x-loyaltylion-hmac-sha256", "base64"),
        ("open-loyalty", "x-webhook-signature", "hex"),
        ("talon-one", "webhook-signature", None),
        ("brevo-loyalty", "webhook-signature", None),
        ("cloudevents", "webhook-signature", None),
    ],
)
def test_a_built_in_contract(
    system: System,
    tenant: Tenant,
    receiver: Receiver,
    name: str,
    header: str,
    encoding: str | None,
) -> None:
    endpoint = receiver.endpoint()
    given = {"secret": OLD} if encoding else {}
    webhook = tenant.webhook(endpoint.url, format=name, **given)

    request = delivered(system, tenant, endpoint)

    assert webhook["format"].startswith(f"{name}@")
    assert "michael@zylker.com" in request.body.decode() or name == "talon-one"
    if encoding is None:
        StandardWebhook(webhook["secret"]).verify(request.body, request.headers)
    else:
        before = f"{request.headers['x-webhook-timestamp']}." if name == "open-loyalty" else ""
        digest = hmac.new(OLD.encode(), before.encode() + request.body, "sha256").digest()
        written = digest.hex() if encoding == "hex" else base64.b64encode(digest).decode()
        assert request.headers[header] == written
    expected = "cloudevents+json" if name == "cloudevents" else "json"
    assert request.headers["content-type"] == f"application/{expected}"


@pytest.mark.parametrize("event_name", [None, "Our gold members"])
def test_voucherify(
    system: System, tenant: Tenant, receiver: Receiver, event_name: str | None
) -> None:
    endpoint = receiver.endpoint()
    settings = {"event_name": event_name} if event_name else {}
    tenant.webhook(endpoint.url, format="voucherify", secret=OLD, format_settings=settings)

    request = delivered(system, tenant, endpoint)

    compact = json.dumps(request.json, separators=(",", ":"), ensure_ascii=False).encode()
    assert compact == request.body
    assert request.headers["x-voucherify-signature"] == hexed(OLD, request.body, "sha256")
    source = request.json["source"]
    assert (source["object"], source["target_url"]) == (
        "distribution" if event_name else "webhook",
        endpoint.url,
    )
    assert request.json["type"] == (event_name or "customer.loyalty.tier.upgraded")
    assert request.json["event"]["type"] == "customer.loyalty.tier.upgraded"


@pytest.mark.parametrize("name", ["zinrelo", "voucherify"])
def test_one_signature_is_by_the_old_secret_until_the_overlap_ends(
    system: System, tenant: Tenant, receiver: Receiver, name: str
) -> None:
    endpoint = receiver.endpoint()
    webhook = tenant.webhook(endpoint.url, format=name, secret=OLD)
    path = f"/v1/webhooks/{webhook['id']}/rotate-secret"

    def signs(secret: str) -> bool:
        tenant.post(tenant.an_event("tier.upgraded"))
        system.route()
        system.dispatch_all()
        request = endpoint.requests[-1]
        if name == "zinrelo":
            signed = b"%s:%s" % (request.body, request.headers["nonce"].encode())
            return request.headers["x-zinrelo-signature"] == hexed(secret, signed, "sha512")
        return request.headers["x-voucherify-signature"] == hexed(secret, request.body, "sha256")

    assert tenant.call("POST", path, {"secret": NEW, "overlap_hours": 1}).status == 200
    assert signs(OLD)
    assert tenant.call("POST", path, {"secret": NEW, "overlap_hours": 0}).status == 200
    assert signs(NEW)


@pytest.mark.parametrize(
    ("name", "status", "outcome"),
    [
        ("zinrelo", 200, "succeeded"),
        ("zinrelo", 204, "retrying"),
        ("zinrelo", 201, "retrying"),
        ("voucherify", 204, "succeeded"),
        ("qualifio", 299, "succeeded"),
        ("qualifio", 302, "retrying"),
    ],
)
def test_success_is_by_the_formats_own_rule(
    system: System, tenant: Tenant, receiver: Receiver, name: str, status: int, outcome: str
) -> None:
    tenant.webhook(receiver.endpoint(Answer(status)).url, format=name, secret=OLD)
    tenant.post(UPGRADE)
    system.route()

    system.dispatch()

    assert [one["status"] for one in tenant.deliveries()] == [outcome]


def test_a_webhook_on_all_types_gets_what_its_format_says_and_the_log_names_the_rest(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    zoho, qualifio = receiver.endpoint(), receiver.endpoint()
    first = tenant.webhook(zoho.url, format="zoho-thrive")
    second = tenant.webhook(qualifio.url, format="qualifio", batch_size=10)
    earned, upgraded = tenant.post(tenant.an_event("points.earned"), UPGRADE)
    system.route()

    system.dispatch_all()

    assert [request.json["message"]["event"] for request in zoho.requests] == ["tier_upgrade"]
    assert [[one["eventId"] for one in request.json] for request in qualifio.requests] == [
        [earned, upgraded]
    ]
    became = {
        one["webhook_id"]: one["status"] for one in tenant.get(f"/v1/events/{earned}")["deliveries"]
    }
    assert became == {first["id"]: "not_in_format", second["id"]: "succeeded"}


@pytest.mark.parametrize("name", ["standard", "zoho-thrive", "okendo"])
def test_the_header_of_a_single_event_names_it_in_every_repeat(
    system: System, tenant: Tenant, receiver: Receiver, name: str
) -> None:
    endpoint = receiver.endpoint(500, 200)
    tenant.webhook(endpoint.url, format=name)
    tenant.post(UPGRADE)
    system.route()

    system.dispatch_all()

    first, second = endpoint.requests
    assert first.headers["webhook-event-id"] == second.headers["webhook-event-id"] == "upgrade-1"


def test_a_batch_names_its_events_in_the_body_alone(
    system: System, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    tenant.webhook(endpoint.url, batch_size=2)
    tenant.post(*tenant.some_events(2))
    system.route()

    system.dispatch_all()

    (request,) = endpoint.requests
    assert "webhook-event-id" not in request.headers


def named(name: str, *, inferred: bool = False, body_inferred: bool = False) -> dict[str, Any]:
    return {"name": name, "inferred": inferred, "body_inferred": body_inferred}


def test_the_catalogue_is_listed_page_by_page_with_every_formats_names(tenant: Tenant) -> None:
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = tenant.get("/v1/event-types", limit="40", **cursor)
        found += page["data"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert len(found) == len({one["type"] for one in found}) > 80
    upgrade = next(one for one in found if one["type"] == "tier.upgraded")
    assert set(upgrade["names"]) == set(FORMATS) - {"rivo@1"}
    assert (
        upgrade["names"].items()
        >= {
            "standard": named("tier.upgraded"),
            "zinrelo": named("event_member_tierupgrade", body_inferred=True),
            "zoho-thrive": named("tier_upgrade"),
            "qualifio": named("change_in_level", inferred=True, body_inferred=True),
            "okendo@2025-02-01": named("loyalty_customer.update", body_inferred=True),
            "voucherify@2024-01-01": named("customer.loyalty.tier.upgraded"),
        }.items()
    )
    assert tenant.call("GET", "/v1/event-types", query={"cursor": "x"}).status == 422


def test_a_type_shows_its_schema_and_an_example_that_can_be_posted(tenant: Tenant) -> None:
    shown = tenant.get("/v1/event-types/tier.upgraded")

    assert shown["schema"]["$schema"] == "http://json-schema.org/draft-07/schema#"
    tenant.post({"type": shown["type"], "data": shown["example"]})
    assert tenant.get("/v1/event-types/custom.badge")["schema"]["type"] == "object"
    for unknown in ("tier.upgrade", "custom.", "custom"):
        assert tenant.call("GET", f"/v1/event-types/{unknown}").status == 404


def test_the_formats_are_listed_page_by_page(tenant: Tenant) -> None:
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = tenant.get("/v1/formats", limit="5", **cursor)
        found += page["data"]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}

    assert [one["format"] for one in found] == [*FORMATS]
    by_name = {one["format"]: one for one in found}
    assert by_name["zinrelo"]["largest_batch"] == 100
    assert by_name["zinrelo"]["is_contract"] is False
    assert by_name["standard"]["secret_rule"].startswith("must be whsec_")
    assert "custom.*" in by_name["cloudevents@1.0"]["event_types"]
    assert sorted(by_name["rivo@1"]["event_types"]) == [
        "points.added", "points.deducted", "points.earned", "reward.redeemed",
    ]  # fmt: skip
    assert tenant.call("GET", "/v1/formats", query={"cursor": "x"}).status == 422


def test_a_contract_is_shown_as_it_is_written(tenant: Tenant) -> None:
    shown = tenant.get("/v1/formats/rivo")

    assert (shown["format"], shown["is_contract"]) == ("rivo@1", True)
    assert read_contract(shown["contract"]).name == "rivo"
    assert tenant.get("/v1/formats/rivo@1") == shown
    assert "contract" not in tenant.get("/v1/formats/okendo")
    assert tenant.call("GET", "/v1/formats/nothing").status == 404


def test_any_key_may_read_the_catalogue(system: System, tenant: Tenant) -> None:
    for scope in ("events", "webhooks"):
        answer = system.call("GET", "/v1/event-types", key=tenant.new_key(scope))
        assert answer.status == 200
