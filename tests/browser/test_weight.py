"""How much a page weighs, with everything that comes with it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Request

from tests.browser.person import Person
from tests.browser.scene import Scene

pytestmark = pytest.mark.timeout(400)

_MOST_BYTES = 60 * 1024


# The first pages, and the two largest.
@pytest.mark.parametrize(
    ("key_of", "path"),
    [
        (lambda scene: scene.account.key, "/console/webhooks"),
        (lambda scene: scene.account.key, "/console/webhooks/new"),
        (lambda scene: scene.account.key, "/console/webhooks/listen"),
        (lambda scene: scene.account.key, "/console/webhooks/{mailer}?period=7d"),
        (lambda scene: scene.account.key, "/console/types/points.earned"),
        (lambda scene: scene.account.key, "/console/contracts?from=square-loyalty%401"),
        (lambda scene: scene.system.local["operator_key"], "/console/accounts"),
        (None, "/console/sign-in"),
    ],
    ids=[
        "an admin's",
        "a form",
        "listening",
        "a webhook",
        "a type",
        "a contract",
        "an operator's",
        "a stranger's",
    ],
)
def test_a_page_weighs_less_than_sixty_kilobytes(
    key_of: Callable[[Scene], str] | None, path: str, scene: Scene, person: Person
) -> None:
    if key_of is not None:
        person.sign_in(key_of(scene))
        person.page.wait_for_load_state("networkidle")  # what that page takes is not counted
    came: list[Request] = []
    person.context.on("requestfinished", lambda request: came.append(request))
    person.forget_what_is_cached()

    person.open(path.format(mailer=scene.mailer["id"]))
    person.page.wait_for_load_state("networkidle")

    sizes = [request.sizes() for request in came]
    weight = sum(one["responseHeadersSize"] + one["responseBodySize"] for one in sizes)
    assert len(came) >= 3
    assert 5_000 < weight < _MOST_BYTES, [request.url for request in came]
