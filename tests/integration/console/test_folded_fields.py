"""What of a webhook's form is folded, and that nothing set or wrong is out of sight."""

import re

import pytest

from tests.integration.browsing import Browser, PageSeen
from tests.integration.console.webhook_forms import FORM, NEW, send
from tests.integration.system import Tenant

AGAIN = f"{FORM}/form"


def is_open(page: PageSeen, folded: str = 'id="advanced"') -> bool:
    found = re.search(rf"<details[^>]*{folded}[^>]*>", page.html)
    assert found, f"{folded} is not on the page"
    return " open" in found[0]


def summary(page: PageSeen) -> str:
    found = re.search(r'id="advanced".*?<summary>(.*?)</summary>', page.html, re.DOTALL)
    assert found
    return found[1]


def test_who_receives_it_comes_first_and_most_is_folded(admin: Browser) -> None:
    page = admin.get(NEW)

    order = ["who", "where", "what", "advanced", "secret-title"]
    places = [page.html.index(f' id="{one}"') for one in order]
    assert places == sorted(places)
    assert "Who receives this?" in page.text
    assert not is_open(page)
    for kind in ("A receiver of your own", "A receiver made for a product"):
        assert f'<optgroup label="{kind}">' in page.html
    assert "A contract that your account has stored" not in page.html


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("secret", "whsec_" + "A" * 43 + "=", "secret"),
        ("header_name_0", "X-Shop", "headers"),
        ("program_ids", "gold", "programmes"),
        ("filter_is", "rows", "filter"),
        ("schedule", "own", "retries"),
        ("pause_when_exhausted", "yes", "retries"),
        ("batch_size", "5", "batches"),
        ("max_per_second", "2", "pace"),
        ("description", "For the till", "description"),
    ],
)
def test_what_is_set_is_in_sight_and_named(
    field: str, value: str, said: str, admin: Browser
) -> None:
    page = send(admin, AGAIN, admin.get(NEW).form(FORM), **{field: value})

    assert is_open(page)
    assert f"Set: {said}" in summary(page)


def test_what_is_wrong_is_in_sight(admin: Browser) -> None:
    form = admin.get(NEW).form(FORM)

    wrong_there = send(admin, FORM, form, name="n", url="https://a.example/", batch_bytes="")
    wrong_elsewhere = send(admin, FORM, form, name="n", url="ftp://a.example/")
    wrong_size = send(admin, FORM, form, name="n", url="https://a.example/", batch_size="0")

    assert wrong_there.status == 201  # left empty, it is the usual number
    assert wrong_elsewhere.status == wrong_size.status == 422
    assert (is_open(wrong_elsewhere), is_open(wrong_size)) == (False, True)


def test_a_button_within_leaves_it_open_without_a_script(admin: Browser) -> None:
    form = admin.get(NEW).form(FORM)

    pressed_within = send(admin, AGAIN, form, opens="advanced")
    pressed_elsewhere = send(admin, AGAIN, form)

    assert (is_open(pressed_within), is_open(pressed_elsewhere)) == (True, False)


def test_settings_of_a_format_are_folded_until_they_are_not_the_usual_ones(
    admin: Browser,
) -> None:
    form = admin.get(NEW).form(FORM)
    settings = 'class="of-format"'
    name = "format_settings.signature_algorithm"

    usual = send(admin, AGAIN, form, format="qualifio", **{name: "sha256"})
    unusual = send(admin, AGAIN, form, format="qualifio", **{name: "sha1"})

    assert (is_open(usual, settings), is_open(unusual, settings)) == (False, True)


def test_of_a_stored_webhook_what_is_set_is_in_sight(admin: Browser, tenant: Tenant) -> None:
    plain = tenant.webhook(url="https://a.example/")
    set_up = tenant.webhook(url="https://b.example/", retry_delays_seconds=[60], max_per_second=2)

    for webhook, told in ((plain, False), (set_up, True)):
        assert is_open(admin.get(f"{FORM}/{webhook['id']}/edit")) is told
