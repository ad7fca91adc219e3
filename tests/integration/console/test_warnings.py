"""What the console says of a webhook that it takes as it is, though it may be regretted."""

from tests.integration.browsing import Browser
from tests.integration.console.test_webhook_form import a_new_one
from tests.integration.console.webhook_forms import FORM, NEW, attributes, send
from tests.integration.system import Tenant
from tests.receiver import Answer, Receiver

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


def test_where_a_redirect_points_is_shown_and_can_be_taken_over(
    admin: Browser, tenant: Tenant, client: object, receiver: Receiver
) -> None:
    new = "https://new.example/hook?a=b&c=d"
    old = receiver.endpoint(Answer(308, headers=(("Location", new),))).url
    webhook = tenant.webhook(old)
    path = f"{FORM}/{webhook['id']}"

    tested = send(admin, f"{path}/test", admin.get(path).form(f"{path}/test#outcome"))

    assert f"redirects to {new}" in tested.text
    (taking,) = [
        value
        for tag, name, value in attributes(tested)
        if (tag, name) == ("a", "href") and value.startswith(f"{path}/edit?url=")
    ]
    assert ("url", new) in admin.get(taking).form(f"{path}/edit").fields


def test_a_url_is_warned_of_in_the_preview(admin: Browser) -> None:
    form = admin.get(NEW).form(FORM)

    previewed = send(
        admin, f"{FORM}/preview", form, name="till", url="http://till.example:443/hook"
    )

    assert "URL is http on a port where servers speak TLS" in previewed.text
