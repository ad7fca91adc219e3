"""The console's editor of contracts."""

import hmac
import html
import json

import pytest

from perkwire.formats.contracts.built_in import BUILT_IN
from tests.integration.browsing import Browser
from tests.integration.system import System, Tenant
from tests.receiver import Receiver

PATH = "/console/contracts"


def tried(admin: Browser, contract: object, event_type: str = "points.earned") -> str:
    form = admin.get(PATH).form(f"{PATH}#made")
    text = contract if isinstance(contract, str) else json.dumps(contract)
    fields = dict(form.fields) | {"contract": text, "event_type": event_type}
    return html.unescape(admin.post(PATH, fields).html)


def ours(**members: object) -> dict[str, object]:
    return {
        "name": "ours", "version": "1", "events": {"*": "{type}"},
        "body": {"kind": "=event.name", "who": "=data.member.id"}, **members,
    }  # fmt: skip


def test_what_is_written_is_shown_as_its_receiver_would_get_it(admin: Browser) -> None:
    page = tried(admin, ours(headers={"x-kind": "=event.name"}), "tier.upgraded")

    assert "What the receiver would get" in page
    assert "x-kind: tier.upgraded" in page
    assert "webhook-signature: v1," in page
    assert '"who": "mbr_20417"' in page
    assert "curl -X POST https://receiver.example/webhooks" in page
    assert '"kind": "=event.name"' in page  # what was typed is there still
    assert "What is not right yet" not in page


def test_what_is_wrong_is_named_with_its_place(admin: Browser) -> None:
    page = tried(admin, ours(body={"a": [{"b": "=nope(data)"}]}, absent="never"))

    assert "/body/a/0/b calls nope(), which is no function of contracts" in page
    assert "/absent must be omit, null, empty or refuse" in page
    assert "What the receiver would get" not in page


def test_an_event_that_it_cannot_say_is_told_without_its_values(admin: Browser) -> None:
    page = tried(admin, ours(body={"a": "=abs(data.member.email)"}))

    assert "cannot be said: body.a abs() was given what is no number" in page
    assert "ada.moreno" not in page


def test_what_is_no_json_is_told(admin: Browser) -> None:
    assert "is not JSON from line 1, column 2 on" in tried(admin, "{")
    assert "must be an object" in tried(admin, "[]")


def test_a_contract_that_would_blow_up_is_stopped(admin: Browser) -> None:
    page = tried(admin, ours(body="=data" + " | [@, @]" * 30))

    assert "makes too large a body" in page


def test_one_that_there_is_can_be_begun_with(admin: Browser) -> None:
    for name in BUILT_IN:
        begun = html.unescape(admin.get(f"{PATH}?from={name}").html)
        assert f'"name": "{name.partition("@")[0]}"' in begun
    assert '"name": "ours"' in html.unescape(admin.get(f"{PATH}?from=nothing").html)


def test_what_is_wrong_is_named_with_its_line(admin: Browser) -> None:
    text = json.dumps(ours(body={"a": [1, {"b/c": "=nope(data)"}]}), indent=2)
    line = next(n for n, one in enumerate(text.splitlines(), 1) if "nope" in one)

    assert f"Line {line}" in tried(admin, text)


def fields_of(admin: Browser, contract: object, **more: str) -> dict[str, str]:
    form = admin.get(PATH).form(f"{PATH}#made")
    return dict(form.fields) | {"contract": json.dumps(contract)} | more


def test_while_one_types_only_the_request_is_asked_for(admin: Browser) -> None:
    shown = admin.post(PATH, fields_of(admin, ours(), part="made"))

    assert "<html" not in shown.html
    assert "What the receiver would get" in shown.html
    assert "What is not right yet" in admin.post(PATH, fields_of(admin, {}, part="made")).html


def test_one_of_the_accounts_own_events_is_said(
    admin: Browser, system: System, tenant: Tenant
) -> None:
    (event_id,) = tenant.post({**tenant.an_event("points.earned")})
    system.route()
    begun = admin.get(PATH).html
    assert event_id in begun

    page = html.unescape(admin.post(PATH, fields_of(admin, ours(), event_id=event_id)).html)

    assert '"who": "mbr_1"' in page
    gone = admin.post(PATH, fields_of(admin, ours(), event_id="evt_nothing"))
    assert "is not kept any more" in gone.html


def test_it_is_saved_and_a_webhook_can_have_it(
    admin: Browser, tenant: Tenant, receiver: Receiver
) -> None:
    saved = admin.post(f"{PATH}/stored", fields_of(admin, ours(events={"tier.*": "{type}"})))

    assert saved.location == f"{PATH}?from=ours%401&done=contract-stored"
    assert "The contract is stored" in admin.get(saved.location).html
    assert tenant.get("/v1/formats/ours@1")["contract"]["name"] == "ours"
    assert 'value="ours@1"' in admin.get("/console/webhooks/new").html
    assert "ours" in admin.get("/console/types/tier.upgraded").html
    exported = admin.get(f"{PATH}/ours%401/contract.json").html
    assert json.loads(exported) == tenant.get("/v1/formats/ours@1")["contract"]
    again = admin.post(f"{PATH}/stored", fields_of(admin, ours()))
    assert "A version never changes" in html.unescape(again.html)

    webhook = tenant.webhook(receiver.endpoint().url, format="ours@1")
    page = admin.get(PATH)
    delete = f"{PATH}/ours%401/delete"
    refused = admin.post(delete, dict(page.form(delete).fields))
    assert webhook["id"] in refused.html
    tenant.call("DELETE", f"/v1/webhooks/{webhook['id']}")
    deleted = admin.post(delete, dict(page.form(delete).fields))
    assert deleted.location == f"{PATH}?done=contract-deleted"


@pytest.mark.usefixtures("client")
def test_it_is_tested_before_it_is_saved(
    admin: Browser, tenant: Tenant, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    asked = fields_of(
        admin, ours(signature={"header": "x-ours"}), url=endpoint.url, secret="a-secret-of-ours"
    )

    page = html.unescape(admin.post(f"{PATH}/test", asked).html)

    assert "The test succeeded" in page
    (request,) = endpoint.requests
    assert json.loads(request.body) == {"kind": "points.earned", "who": "mbr_20417"}
    digest = hmac.digest(b"a-secret-of-ours", request.body, "sha256").hex()
    assert request.headers["x-ours"] == digest
    assert tenant.call("GET", "/v1/formats/ours@1").status == 404
    wrong = html.unescape(admin.post(f"{PATH}/test", asked | {"url": "nowhere"}).html)
    assert "must be" in wrong


def test_an_account_neither_opens_nor_exports_another_ones(
    admin: Browser, another_tenant: Tenant
) -> None:
    another_tenant.call("POST", "/v1/formats", ours(name="theirs"))

    assert '"theirs"' not in html.unescape(admin.get(f"{PATH}?from=theirs%401").html)
    assert admin.get(f"{PATH}/theirs%401/contract.json").status == 404


def test_the_catalogue_leads_to_it(admin: Browser) -> None:
    assert f'href="{PATH}"' in admin.get("/console/types").html
