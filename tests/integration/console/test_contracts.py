"""Trying a contract in the console."""

import html
import json

from perkwire.formats.contracts.built_in import BUILT_IN
from tests.integration.browsing import Browser

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


def test_the_catalogue_leads_to_it(admin: Browser) -> None:
    assert f'href="{PATH}"' in admin.get("/console/types").html
