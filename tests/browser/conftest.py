"""One running system, one Chromium and one receiver for all tests of this folder.

Nothing but loopback is reached: neither by the tests nor by the browser.
"""

import shutil
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect, sync_playwright
from pytest_socket import socket_allow_hosts

from tests.browser.pages import Visitor, sign_in
from tests.browser.person import Person
from tests.browser.scene import Scene
from tests.e2e.system import Account, LocalSystem, free_port
from tests.receiver import Receiver

# A delivery that uses up its attempts takes some seconds, and the machine may be busy.
_PATIENCE_MILLISECONDS = 15_000
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--force-color-profile=srgb",
    "--disable-lcd-text",
    # No name is ever looked up.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


@pytest.fixture(autouse=True)
def _only_loopback() -> None:
    socket_allow_hosts(["127.0.0.1"], allow_unix_socket=True)


@pytest.fixture(autouse=True)
def _nothing_is_refused() -> Iterator[None]:
    """A call that a function's role does not allow fails the test, whatever became of it."""
    yield
    assert [call for system in LocalSystem.running for call in system.rights.take_refused()] == []


@pytest.fixture(scope="session")
def system() -> Iterator[LocalSystem]:
    with LocalSystem(free_port()) as running:
        yield running


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = shutil.which("chromium")
    if found is None:
        pytest.fail("There is no Chromium on the path: install it with `apt-get install chromium`.")
    expect.set_options(timeout=_PATIENCE_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=[*_ARGUMENTS])
        yield browser
        browser.close()


@pytest.fixture
def account(system: LocalSystem) -> Account:
    return Account(system)


@pytest.fixture(scope="session")
def scene(system: LocalSystem, receiver: Receiver) -> Scene:
    """An account with something on every page; tests only look at it."""
    return Scene(system, receiver)


@pytest.fixture(scope="session")
def session_visitors(
    system: LocalSystem, chromium: Browser, scene: Scene
) -> Iterator[dict[Visitor, Person]]:
    """Those who only look at the scene, signed in: to make a browser anew takes longest of all."""
    found = {visitor: Person(chromium, system) for visitor in Visitor}
    for visitor, person in found.items():
        sign_in(person, scene, visitor)
    yield found
    for person in found.values():
        person.leave()
    assert [wrong for person in found.values() for wrong in person.wrongs] == []


@pytest.fixture
def visitors(
    session_visitors: dict[Visitor, Person],
) -> Iterator[dict[Visitor, Person]]:
    """The same ones. What goes wrong in one of them fails the test."""
    yield session_visitors
    wrongs = [wrong for person in session_visitors.values() for wrong in person.wrongs]
    for person in session_visitors.values():
        person.wrongs.clear()
    assert wrongs == []


@pytest.fixture
def new_person(system: LocalSystem, chromium: Browser) -> Iterator[Callable[..., Person]]:
    """Makes people, each in a browser of their own. What goes wrong in one fails the test."""
    people: list[Person] = []

    def make(**options: object) -> Person:
        person = Person(chromium, system, **options)
        people.append(person)
        return person

    yield make
    for person in people:
        person.leave()
    assert [wrong for person in people for wrong in person.wrongs] == []


@pytest.fixture
def person(new_person: Callable[..., Person]) -> Person:
    return new_person()
