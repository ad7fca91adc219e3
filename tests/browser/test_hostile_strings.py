"""What strangers may write - names, ids, types, data, answers - is text on every page, and fits."""

import pytest
from playwright.sync_api import expect

from tests.browser.person import NARROW, Person
from tests.e2e.system import Account, LocalSystem, until
from tests.receiver import Answer, Receiver

pytestmark = pytest.mark.timeout(400)

SCRIPT = "<script>window.broken=1</script>\"'><img src=x onerror=window.broken=1>{{7*7}}${7*7}"
CLOSING = "</textarea></title></pre></code></option><svg onload=window.broken=1>"
RIGHT_TO_LEFT = "evil مرحبا שלום"
TURNED = f"\u202e{RIGHT_TO_LEFT}\u202c"
LONG = "W" * 120
_NAMES = (SCRIPT, CLOSING, RIGHT_TO_LEFT, LONG)


class Hostile:
    """An account all of whose words are hostile, and every page that shows them."""

    def __init__(self, system: LocalSystem, receiver: Receiver) -> None:
        self._system = system
        self.account = Account(system)
        self._call("PATCH", f"/v1/accounts/{self.account.id}", {"name": SCRIPT})
        keys = f"/v1/accounts/{self.account.id}/api-keys"
        self._call("POST", keys, {"name": SCRIPT, "scopes": ["webhooks"]})
        self._call("POST", keys, {"name": LONG, "scopes": ["webhooks"]})
        answer = Answer(500, f"{SCRIPT} {CLOSING} {LONG * 3}".encode())
        webhooks = [
            self.account.webhook(
                receiver.endpoint(answer).url,
                name=name,
                description=f"{SCRIPT}\n{LONG}",
                program_ids=[SCRIPT, "w" * 64],
                headers={f"x-{'w' * 60}": "header-value"},
            )
            for name in _NAMES
        ]
        event = {
            "type": f"custom.{'w' * 60}",
            "program_id": SCRIPT,
            "data": {SCRIPT: CLOSING, "long": LONG * 5, "rtl": TURNED, "list": [SCRIPT]},
        }
        (event_id,) = self.account.post(event)
        until(lambda: self.account.statuses() == ["failed"] * 4, "all of them have failed")
        delivery_id = self.account.get("/v1/deliveries")["data"][0]["id"]
        for webhook in webhooks:
            change = {
                "url": f"https://shop.example/{webhook['id']}?q='%3Cscript%3E&{LONG}",
                "headers": {f"x-{'w' * 60}": "header-value"},
            }
            self._call("PATCH", f"/v1/webhooks/{webhook['id']}", change, key=self.account.key)
        webhook_paths = [f"/console/webhooks/{one['id']}" for one in webhooks]
        self.pages = [
            "/console/webhooks",
            "/console/webhooks/new",
            *webhook_paths,
            *[f"{webhook_paths[0]}/{one}" for one in ("edit", "rotate", "delete")],
            "/console/log",
            f"/console/log/{delivery_id}",
            "/console/log/jobs/new",
            "/console/events",
            f"/console/events/{event_id}",
            f"/console/types/{event['type']}",
        ]
        account = f"/console/accounts/{self.account.id}"
        self.operators_pages = [
            "/console/accounts",
            account,
            f"{account}/edit",
            f"{account}/api-keys/new",
        ]

    def _call(self, method: str, path: str, body: object, *, key: str | None = None) -> None:
        status, answer = self._system.call(method, path, body, key=key)
        assert status < 300, answer


@pytest.fixture(scope="module")
def hostile(system: LocalSystem, receiver: Receiver) -> Hostile:
    return Hostile(system, receiver)


def is_unharmed(person: Person, path: str) -> list[str]:
    """What is wrong with a page: a script has run, or it is wider than a telephone."""
    person.open(path)
    wrongs = [f"{path} is {person.overflow()} px too wide"] if person.overflow() else []
    if person.page.evaluate("window.broken") is not None:
        wrongs.append(f"{path} has run a foreign script")
    if person.page.locator("main script, main img, main svg:not(.chart, .plot > svg)").count():
        wrongs.append(f"{path} has a foreign element")
    return wrongs


def test_hostile_words_are_text_on_every_page_and_fit_a_telephone(
    hostile: Hostile, person: Person
) -> None:
    person.sign_in_by_link(hostile.account)
    person.looks_at(NARROW, "light")

    assert [wrong for path in hostile.pages for wrong in is_unharmed(person, path)] == []

    person.open("/console/webhooks")
    table = person.page.get_by_role("table")
    for name in (SCRIPT, CLOSING, LONG):
        expect(person.find("link", name, within=table)).to_be_visible()


def test_hostile_words_are_text_on_an_operators_pages(
    system: LocalSystem, hostile: Hostile, person: Person
) -> None:
    person.sign_in(system.local["operator_key"])
    person.looks_at(NARROW, "light")
    paths = hostile.operators_pages
    assert [wrong for path in paths for wrong in is_unharmed(person, path)] == []

    # The banner of an account that has been entered stands on every page.
    person.open(hostile.operators_pages[1])
    person.click("button", "Enter the account")
    expect(person.page.get_by_role("region", name="The account that you are in")).to_contain_text(
        SCRIPT
    )
    assert [wrong for path in hostile.pages for wrong in is_unharmed(person, path)] == []


def test_a_hostile_answer_to_a_test_and_hostile_words_in_the_url_are_text(
    hostile: Hostile, receiver: Receiver, person: Person
) -> None:
    person.sign_in_by_link(hostile.account)
    person.looks_at(NARROW, "light")
    person.open("/console/webhooks/new")
    person.fill("Name", CLOSING)
    person.press_summary("Advanced")
    person.fill("Description", CLOSING)
    person.fill("URL", receiver.endpoint(Answer(400, SCRIPT.encode())).url)
    person.click("button", "Send a test")
    person.is_told(SCRIPT)
    assert person.page.evaluate("window.broken") is None
    assert person.overflow() == 0

    for path in ("log?event_type=", "log?status=", "types?q=", "events?id=", "sign-in?next="):
        assert is_unharmed(person, f"/console/{path}{SCRIPT}") == []
    assert is_unharmed(person, "/console/<script>window.broken=1</script>") == []
