"""The life of operators' keys, and the end of sessions that came from console links."""

import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from infra import operator_key
from infra.operator_key import create_operator_key, main, operator_keys
from tests.integration.browsing import Browser, ConsoleServer
from tests.integration.console.sign_in import link_of
from tests.integration.system import System, Tenant


class Keys:
    """The command, and what it prints."""

    def __init__(self, system: System, capsys: pytest.CaptureFixture[str]) -> None:
        self._system = system
        self._capsys = capsys
        self._table = system.stack.resources["ConfigTable"]

    def __call__(self, *arguments: str) -> tuple[int, str]:
        self._capsys.readouterr()
        url = self._system.stack.emulator.url
        status = main(["--table", self._table, *arguments], endpoint_url=url)
        self._system.cold_start()  # the models were bound to the command's own connection
        return status, self._capsys.readouterr().out.strip()

    def made(self, name: str) -> tuple[str, str]:
        """A new key and its id."""
        _, key = self("--name", name)
        self._system.secrets.add(key)
        _, listed = self("--list")
        (key_id,) = (line.split()[0] for line in listed.splitlines() if line.endswith(name))
        return key, key_id


@pytest.fixture
def keys(system: System, capsys: pytest.CaptureFixture[str]) -> Keys:
    return Keys(system, capsys)


def lets_in(system: System, key: str) -> bool:
    return system.call("GET", "/v1/accounts", key=key).status == 200


def test_keys_are_listed_without_the_keys_themselves(system: System, keys: Keys) -> None:
    key, key_id = keys.made("listed")

    status, listed = keys("--list")

    assert status == 0
    assert key_id.startswith("key_")
    assert any(line.startswith(key_id) and "T" in line for line in listed.splitlines())
    assert key not in listed


def test_a_revoked_key_lets_nobody_in(system: System, keys: Keys) -> None:
    key, key_id = keys.made("revoked")
    assert lets_in(system, key)

    assert keys("--revoke", key_id) == (0, "")

    assert not lets_in(system, key)
    assert key_id not in keys("--list")[1]
    assert keys("--revoke", key_id)[0] == 1


def test_a_rotated_key_has_another_in_its_place_of_the_same_name(
    system: System, keys: Keys
) -> None:
    key, key_id = keys.made("rotated")

    status, new_key = keys("--rotate", key_id)
    system.secrets.add(new_key)

    assert status == 0
    assert lets_in(system, new_key)
    assert not lets_in(system, key)
    names = [line.split()[-1] for line in keys("--list")[1].splitlines()]
    assert names.count("rotated") == 1
    assert keys("--rotate", key_id)[0] == 1


def test_more_keys_than_a_page_are_all_listed(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(operator_key, "_PAGE", 3)
    table, url = system.stack.resources["ConfigTable"], system.stack.emulator.url
    before = len(operator_keys(table, endpoint_url=url))
    for number in range(4):
        create_operator_key(table, f"many {number}", endpoint_url=url)

    found = operator_keys(table, endpoint_url=url)
    system.cold_start()

    assert len(found) == before + 4


def test_whoever_signed_in_with_a_revoked_operators_key_is_signed_out(
    system: System, keys: Keys, browser: Browser
) -> None:
    key, key_id = keys.made("browsing")
    browser.sign_in(key)
    assert browser.get("/console/accounts").status == 200

    keys("--revoke", key_id)

    assert browser.get("/console/accounts").status == 303


def sign_in_by(browser: Browser, path: str) -> None:
    browser.submit(browser.get(path).form("/console/enter"))


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/console/webhooks").status == 200


def id_of(path: str) -> str:
    (token,) = parse_qs(urlsplit(path).query)["token"]
    return hashlib.sha256(token.encode()).hexdigest()


@pytest.fixture
def others(system: System, console: ConsoleServer) -> list[Browser]:
    return [Browser(console.url) for _ in range(3)]


def delete(system: System, tenant: Tenant, key: str, link_id: str = "") -> int:
    path = f"/v1/accounts/{tenant.id}/console-links" + (f"/{link_id}" if link_id else "")
    return system.call("DELETE", path, key=key).status


def test_one_links_session_is_ended_and_no_other(
    system: System, tenant: Tenant, operator_key: str, browser: Browser, others: list[Browser]
) -> None:
    path = link_of(system, tenant, operator_key)
    sign_in_by(browser, path)
    sign_in_by(others[0], link_of(system, tenant, operator_key))
    others[1].sign_in(tenant.key)

    assert delete(system, tenant, operator_key, id_of(path)) == 204

    assert not is_signed_in(browser)
    assert is_signed_in(others[0])
    assert is_signed_in(others[1])


def test_an_ended_link_signs_nobody_in(
    system: System, tenant: Tenant, operator_key: str, browser: Browser
) -> None:
    path = link_of(system, tenant, operator_key)

    assert delete(system, tenant, operator_key, id_of(path)) == 204

    assert browser.get(path).status == 410


def test_the_answer_that_holds_a_link_has_its_id(
    system: System, tenant: Tenant, operator_key: str
) -> None:
    answer = system.call("POST", f"/v1/accounts/{tenant.id}/console-links", key=operator_key)

    url = urlsplit(answer.json["url"])
    assert answer.json["id"] == id_of(f"{url.path}?{url.query}")


def test_a_link_of_another_account_is_not_there(
    system: System, tenant: Tenant, another_tenant: Tenant, operator_key: str, browser: Browser
) -> None:
    path = link_of(system, tenant, operator_key)
    sign_in_by(browser, path)

    assert delete(system, another_tenant, operator_key, id_of(path)) == 404
    assert delete(system, tenant, operator_key, "0" * 64) == 404
    assert delete(system, tenant, operator_key, "x") == 404
    assert is_signed_in(browser)


def test_all_links_of_an_account_are_ended_and_new_ones_work(
    system: System,
    tenant: Tenant,
    another_tenant: Tenant,
    operator_key: str,
    browser: Browser,
    others: list[Browser],
) -> None:
    sign_in_by(browser, link_of(system, tenant, operator_key))
    unused = link_of(system, tenant, operator_key)
    sign_in_by(others[0], link_of(system, another_tenant, operator_key))
    others[1].sign_in(tenant.key)

    assert delete(system, tenant, operator_key) == 204

    assert not is_signed_in(browser)
    assert browser.get(unused).status == 410
    assert is_signed_in(others[0])
    assert is_signed_in(others[1])
    sign_in_by(others[2], link_of(system, tenant, operator_key))
    assert is_signed_in(others[2])


def test_an_operator_ends_them_in_the_console(
    system: System, tenant: Tenant, operator_key: str, browser: Browser, others: list[Browser]
) -> None:
    sign_in_by(browser, link_of(system, tenant, operator_key))
    operator = others[0]
    operator.sign_in(operator_key)
    path = f"/console/accounts/{tenant.id}"

    operator.submit(operator.get(path).form(f"{path}/console-links/end"))

    assert not is_signed_in(browser)


def test_links_and_sessions_of_the_release_before_are_ended_too(
    system: System, tenant: Tenant, operator_key: str, browser: Browser, others: list[Browser]
) -> None:
    used, unused, one = (link_of(system, tenant, operator_key) for _ in range(3))
    for path in (used, unused, one):
        forget_when_it_was_made(system, id_of(path))
    sign_in_by(browser, used)
    sign_in_by(others[0], one)

    assert delete(system, tenant, operator_key, id_of(one)) == 204
    assert not is_signed_in(others[0])
    assert is_signed_in(browser)
    assert delete(system, tenant, operator_key) == 204

    assert not is_signed_in(browser)
    assert others[1].get(unused).status == 410


def forget_when_it_was_made(system: System, link_id: str) -> None:
    """As the release before stored a link."""
    dynamodb: Any = system.stack.client("dynamodb")
    dynamodb.update_item(
        TableName=system.stack.resources["ConfigTable"],
        Key={"pk": {"S": f"link#{link_id}"}, "sk": {"S": "link"}},
        UpdateExpression="REMOVE created_at",
    )


@pytest.mark.parametrize("link_id", ["", "0" * 64])
def test_only_an_operator_ends_links(system: System, tenant: Tenant, link_id: str) -> None:
    assert delete(system, tenant, tenant.key, link_id) == 403
