"""The preview of a webhook that is being filled in: the request that its receiver would get."""

import pytest
from standardwebhooks import Webhook as Verifier

from perkwire.catalogue.event_types import event_types
from perkwire.dispatching.rendering import OpenedSecrets, render
from perkwire.formats.registry import FORMATS, STANDARD, find_format
from perkwire.formats.unknown import UnknownFormat
from perkwire.managing.webhook_draft import EndpointRules
from perkwire.model.endpoint import EndpointPolicy
from perkwire.model.messages import DeliveryMessage
from perkwire.model.webhook import Webhook
from perkwire.primitives.fields import Fields
from perkwire.primitives.ids import DeliveryId, WebhookId
from perkwire.primitives.problem import Problem
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import now
from perkwire.reading.previewing import STAND_IN_URL, STAND_IN_VALUE, Preview, preview
from perkwire.trials import samples
from tests.builders import ACCOUNT, NOW, SECRET, WEBHOOK, a_webhook, webhook_body

RULES = EndpointRules(EndpointPolicy.PUBLIC)


def previewed(
    *, at: int = NOW, webhook_id: WebhookId = WEBHOOK, format_name: str = STANDARD, **members: Json
) -> Preview:
    found = find_format(format_name)
    assert found is not None
    current = a_webhook(id=webhook_id, format=found.name)
    return preview(ACCOUNT, webhook_body(**members), RULES, at, current=current)


def wrong_fields(
    *, current: Webhook | None = None, keeps_headers: bool = False, **members: Json
) -> set[str]:
    body = webhook_body(**members)
    with pytest.raises(Problem) as caught:
        preview(ACCOUNT, body, RULES, NOW, current=current, keeps_headers=keeps_headers)
    errors = caught.value.document()["errors"]
    assert isinstance(errors, list)
    return {str(error["field"]) for error in errors if isinstance(error, dict)}


@pytest.mark.parametrize("format_name", FORMATS)
@pytest.mark.parametrize("batch_size", [1, 10])
def test_it_is_the_request_that_delivering_makes(
    monkeypatch: pytest.MonkeyPatch, format_name: str, batch_size: int
) -> None:
    """Of the same sample, under the same ids, at the same moment, all of it is the same."""
    batch_size = min(batch_size, FORMATS[format_name].largest_batch)
    event = samples.sample_event(samples.default_type(FORMATS[format_name]), NOW)
    monkeypatch.setattr("perkwire.reading.previewing.sample_event", lambda *_: event)

    made = previewed(
        format_name=format_name, batch_size=batch_size, secret=SECRET, headers={"X-Shop": "shop-7"}
    )

    webhook = a_webhook(
        format=format_name,
        batch_size=batch_size,
        format_settings=FORMATS[format_name].read_settings(Fields({})),
    )
    message = DeliveryMessage(
        delivery_id=DeliveryId(made.request.headers["webhook-id"]),
        account_id=ACCOUNT,
        webhook_id=WEBHOOK,
        run=0,
        events=(event,),
    )
    delivered = render(message, webhook, OpenedSecrets(SECRET, {"X-Shop": "shop-7"}), NOW)
    assert made.request.url == delivered.url
    assert made.request.body == delivered.body
    assert made.request.headers == delivered.headers
    assert made.has_secret


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_stored_webhook_is_previewed_in_its_own_format(
    monkeypatch: pytest.MonkeyPatch, format_name: str
) -> None:
    class Newer(UnknownFormat):
        """The newest version of all, which renders nothing."""

    newest = Newer(f"{format_name.partition('@')[0]}@2031-01-01")
    monkeypatch.setattr("perkwire.formats.registry.FORMATS", {**FORMATS, newest.name: newest})

    current = a_webhook(format=format_name)
    made = preview(ACCOUNT, webhook_body(), RULES, NOW, current=current)

    assert made.request.body


def test_in_a_format_that_this_release_does_not_know_nothing_can_be_previewed() -> None:
    current = a_webhook(format="zinrelo@2031-01-01")
    with pytest.raises(Problem) as caught:
        preview(ACCOUNT, webhook_body(), RULES, NOW, current=current)

    assert "not known to this release" in str(caught.value.document())


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_type_that_a_format_says_can_be_previewed(format_name: str) -> None:
    said = [one for one in event_types() if FORMATS[format_name].name_of(one)]

    assert said
    for event_type in said:
        made = previewed(format_name=format_name, event_type=event_type)
        assert made.event_type == event_type
        assert made.request.body


def test_a_given_secret_signs_and_a_made_up_one_is_said_to_be() -> None:
    at = now()
    given = previewed(at=at, secret=SECRET)
    made_up = previewed(at=at)

    verified = Verifier(SECRET).verify(given.request.body, dict(given.request.headers))
    assert verified["id"].startswith("evt_test_")
    assert (given.has_secret, made_up.has_secret) == (True, False)
    assert made_up.request.headers["webhook-signature"].startswith("v1,")


def test_what_is_not_in_the_request_may_be_missing_or_wrong() -> None:
    made = preview(ACCOUNT, {"name": "", "event_types": ["no.such"], "url": ""}, RULES, NOW)

    assert made.request.url == STAND_IN_URL
    assert not made.has_url
    assert made.event_type == "tier.upgraded"


def test_all_else_is_wrong_as_it_is_when_saving() -> None:
    wrong = wrong_fields(
        url="http://till.example/",
        format="standard",
        secret="short",
        batch_size=1000,
        headers={"Host": "x"},
        surprise=1,
    )

    assert wrong == {"url", "secret", "batch_size", "headers.Host", "surprise"}


@pytest.mark.parametrize(
    ("named", "event_types", "shown"),
    [
        ("review.created", ["points.earned"], "points.earned"),
        ("points.earned", ["tier.upgraded"], "points.earned"),
        ("no such type", ["*"], "tier.upgraded"),
        (None, ["points.redeemed", "tier.upgraded"], "points.redeemed"),
        (None, [], "tier.upgraded"),
        (7, "points.earned", "tier.upgraded"),
    ],
)
def test_the_sample_is_of_a_type_that_the_format_says(
    named: Json, event_types: Json, shown: str
) -> None:
    made = previewed(format_name="zinrelo", event_type=named, event_types=event_types)

    assert made.event_type == shown


def test_stored_headers_are_there_without_their_values() -> None:
    current = a_webhook(headers={"X-Shop": "shop-7"})

    made = preview(ACCOUNT, webhook_body(), RULES, NOW, current=current, keeps_headers=True)

    assert made.request.headers["X-Shop"] == STAND_IN_VALUE
    assert made.kept == {"X-Shop"}


def test_stored_headers_are_not_shown_on_their_way_elsewhere() -> None:
    current = a_webhook(headers={"X-Shop": "shop-7"})
    url = "https://crm.example/hook"

    assert wrong_fields(url=url, current=current, keeps_headers=True) == {"headers"}
    assert preview(ACCOUNT, webhook_body(url=url), RULES, NOW, current=current).kept == frozenset()
    nowhere = webhook_body(url="")
    assert preview(ACCOUNT, nowhere, RULES, NOW, current=current, keeps_headers=True).kept


def test_the_format_says_which_webhook_it_is() -> None:
    made = previewed(format_name="voucherify", webhook_id=WebhookId("wh_00000000000000zz"))

    assert b'"id":"wh_00000000000000zz"' in made.request.body
