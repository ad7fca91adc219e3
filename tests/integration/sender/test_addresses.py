"""Which addresses and ports are dialled, and when a name is resolved."""

import pytest

from perkwire.adapters.sender import dialling
from perkwire.model.endpoint import EndpointPolicy
from perkwire.model.sending import TransportError
from tests.hostile_endpoints import Endpoint, answer, answers, says
from tests.integration.sending import Names, error_of, post, sender, status_of

pytestmark = pytest.mark.measures_time


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["8.8.8.8", "127.0.0.1"],
        ["8.8.8.8", "10.0.0.1"],
        ["169.254.169.254"],
        ["169.254.100.1"],
        ["100.64.0.1"],
        ["::1"],
        ["::ffff:127.0.0.1"],
        ["64:ff9b::7f00:1"],
        [f"8.8.4.{number}" for number in range(49)] + ["192.168.0.1"],
        ["fe80::1%lo"],
    ],
)
def test_a_name_with_one_bad_address_is_not_dialled_at_all(
    addresses: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    dialled: list[str] = []
    monkeypatch.setattr(dialling, "_connect", lambda address, *_: dialled.append(address))
    names = Names(hook_example=addresses)
    with sender(policy=EndpointPolicy.PUBLIC, resolver=names) as http:
        outcome = http.send(post("https://hook.example/"))
    assert error_of(outcome) is TransportError.BLOCKED_ADDRESS
    assert names.asked == ["hook.example"]
    assert dialled == []


def test_the_local_policy_dials_loopback_but_no_other_private_address() -> None:
    names = Names(hook_example=["127.0.0.1", "10.0.0.1"])
    with Endpoint(answers(answer())) as endpoint, sender(resolver=names) as http:
        url = endpoint.url("hook.example")
        assert error_of(http.send(post(url))) is TransportError.BLOCKED_ADDRESS
        assert endpoint.connections == []
        names.addresses["hook.example"] = ["127.0.0.1"]
        assert status_of(http.send(post(url))) == 200


def test_a_name_that_turns_private_between_two_sends_is_blocked_on_the_second() -> None:
    names = Names(hook_example=["127.0.0.1"])
    with Endpoint(says(answer(extra=b"Connection: close\r\n"))) as endpoint:
        with sender(resolver=names) as http:
            assert status_of(http.send(post(endpoint.url("hook.example")))) == 200
            names.addresses["hook.example"] = ["169.254.169.254"]
            outcome = http.send(post(endpoint.url("hook.example")))
        assert error_of(outcome) is TransportError.BLOCKED_ADDRESS
        assert len(endpoint.connections) == 1


def test_the_name_is_resolved_once_for_a_connection_and_a_kept_one_keeps_its_address() -> None:
    names = Names(hook_example=["127.0.0.1"])
    with Endpoint(answers(answer())) as endpoint, sender(resolver=names) as http:
        http.send(post(endpoint.url("hook.example")))
        names.addresses["hook.example"] = ["10.0.0.1"]
        assert status_of(http.send(post(endpoint.url("hook.example")))) == 200
        assert names.asked == ["hook.example"]


def test_the_next_address_is_tried_when_one_does_not_connect() -> None:
    names = Names(hook_example=["127.0.0.2", "127.0.0.3", "127.0.0.1"])
    with Endpoint(answers(answer())) as endpoint, sender(resolver=names) as http:
        assert status_of(http.send(post(endpoint.url("hook.example")))) == 200
        assert b"Host: hook.example:" in endpoint.requests[0]


def test_no_more_than_four_addresses_are_tried() -> None:
    names = Names(hook_example=["127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5", "127.0.0.1"])
    with Endpoint(answers(answer())) as endpoint, sender(resolver=names) as http:
        outcome = http.send(post(endpoint.url("hook.example")))
        assert error_of(outcome) is TransportError.CONNECT
        assert endpoint.connections == []


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "hook.example", "[::1]", "127.0.0.2"])
def test_a_denied_port_is_not_dialled_under_any_name(host: str) -> None:
    names = Names(localhost=["127.0.0.1"], hook_example=["127.0.0.1"])
    with Endpoint(answers(answer())) as endpoint:
        with sender(denied_ports=frozenset({endpoint.port}), resolver=names) as http:
            outcome = http.send(post(endpoint.url(host)))
        assert error_of(outcome) is TransportError.BAD_URL
        assert endpoint.connections == []


@pytest.mark.parametrize(
    "url",
    [
        "http://hook.example/",
        "https://hook.example:9001/",
        "https://127.0.0.1/",
        "https://0x7f.1/",
        "https://u:p@hook.example/",
        "https://[::1]/",
        "https://localhost/",
        "file:///etc/passwd",
    ],
)
def test_the_rule_for_urls_is_applied_again_when_sending(url: str) -> None:
    names = Names(hook_example=["127.0.0.1"], localhost=["127.0.0.1"])
    with sender(policy=EndpointPolicy.PUBLIC, resolver=names) as http:
        assert error_of(http.send(post(url))) is TransportError.BAD_URL
    assert names.asked == []


def test_a_name_that_does_not_exist_and_a_port_that_is_closed_have_their_own_errors() -> None:
    with sender(resolver=Names(hook_example=["127.0.0.1"], empty_example=[])) as http:
        assert error_of(http.send(post("http://nowhere.example/"))) is TransportError.DNS
        assert error_of(http.send(post("http://empty.example/"))) is TransportError.DNS
        assert error_of(http.send(post("http://hook.example:1/"))) is TransportError.CONNECT


def test_the_operating_systems_resolver_gives_plain_addresses() -> None:
    assert set(dialling.system_resolver("localhost", 443)) <= {"127.0.0.1", "::1"}
