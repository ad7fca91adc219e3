"""What the console says of a webhook that it takes as it is, though it may be regretted."""

from tests.integration.browsing import Browser
from tests.integration.console.test_webhook_form import a_new_one
from tests.integration.console.webhook_forms import FORM, NEW, send
from tests.integration.system import Tenant
from tests.receiver import Receiver

WARNING = "Secret has fewer than 16 characters"


def test_a_short_secret_is_warned_of_in_the_preview_and_beside_the_new_webhooks_secret(
    admin: Browser,
) -> None:
    form = admin.get(NEW).form(FORM)
    filled_in = {"name": "till", "url": "https://till.example/hook", "format": "zinrelo"}

    previewed = send(admin, f"{FORM}/preview", form, secret="mysecret", **filled_in)
    created = a_new_one(admin, secret="mysecret", **filled_in)

    assert WARNING in previewed.text
    assert created.status == 201
    assert WARNING in created.text
    assert "mysecret" in created.codes()


def test_a_long_secret_is_not(admin: Browser) -> None:
    created = a_new_one(
        admin, url="https://till.example/hook", format="zinrelo", secret="a-secret-of-16-or-more"
    )

    assert created.status == 201
    assert "fewer than" not in created.text


def test_a_rotation_to_a_short_one_is_warned_of(admin: Browser, tenant: Tenant) -> None:
    webhook = tenant.webhook("https://till.example/hook", format="voucherify")
    path = f"{FORM}/{webhook['id']}/rotate"

    rotated = send(admin, path, admin.get(path).form(path), secret="mysecret")

    assert rotated.status == 201
    assert WARNING in rotated.text


def test_a_test_says_it_too(admin: Browser, client: object, receiver: Receiver) -> None:
    form = admin.get(NEW).form(FORM)

    page = send(
        admin,
        f"{FORM}/test",
        form,
        name="till",
        url=receiver.endpoint(200).url,
        format="zinrelo",
        secret="mysecret",
    )

    assert "The test succeeded" in page.text
    assert page.text.count(WARNING) == 2, "beside the outcome and in the preview"
