"""The URL that is stored, shown, compared and sent is one: on the wire it is what was saved."""

import string
import subprocess

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from console.views.curl import as_curl
from perkwire.model.endpoint import EndpointPolicy, check_url, host_of, target_of
from tests.hostile_endpoints import Endpoint, answer, answers, says
from tests.integration.sending import Names, post, sender, status_of

pytestmark = pytest.mark.measures_time

TARGETS = [
    "//dbl?",
    "//dbl",
    "//evil.example/x",
    "///",
    "/?",
    "/hook?",
    "/hook??",
    "?",
    "",
    "/a/../b/./c",
    "/..",
    "/.",
    "/%2e%2e/x",
    "/%2F%2f",
    "/a%00b",
    "/é?ü=ß",
    '/{"a"}|<b>^`',
    "/a;b=c;d?x=1&&=&y",
    "/hook?url=https://other.example/?q=%3F",
    "/a:b@c!$&'()*+,;=~-._",
    "/hook?[]=1",
]
_PATHS = st.text(
    string.ascii_letters + string.digits + "/.%?&=;:@!$'()*+,~_-[]{}|^`<>\"é٣", max_size=30
)


def sent(endpoint: Endpoint, names: Names, url: str) -> tuple[str, str]:
    """What a request to a stored URL asks for, and of which host, byte for byte."""
    with sender(resolver=names) as http:
        assert status_of(http.send(post(url))) == 200
    head = endpoint.requests[-1].partition(b"\r\n\r\n")[0].decode("ascii")
    request_line, *headers = head.split("\r\n")
    method, target, version = request_line.split(" ")
    assert (method, version) == ("POST", "HTTP/1.1")
    (host,) = (line[6:] for line in headers if line.lower().startswith("host: "))
    return host, target


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    target=st.sampled_from(TARGETS) | _PATHS.map(lambda path: f"/{path}"),
    host=st.sampled_from(["127.0.0.1", "Hook.EXAMPLE", "hook.example.", "bücher.example"]),
)
@example(target="//dbl?", host="127.0.0.1")
def test_what_is_stored_is_what_is_asked_for(target: str, host: str) -> None:
    names = Names(hook_example=["127.0.0.1"])
    names.addresses["xn--bcher-kva.example"] = ["127.0.0.1"]
    with Endpoint(answers(*[answer()] * 2)) as endpoint:
        stored = check_url(endpoint.url(host, target), EndpointPolicy.LOCAL)
        if not isinstance(stored, str):
            return

        asked_host, asked = sent(endpoint, names, stored)

        assert f"http://{asked_host}{asked}" == stored
        assert (host_of(stored), target_of(stored)) == (asked_host, asked)
        assert check_url(stored, EndpointPolicy.LOCAL) == stored


@pytest.mark.parametrize("target", TARGETS)
def test_the_command_line_that_is_shown_asks_for_the_same(target: str) -> None:
    with Endpoint(says(answer(extra=b"Connection: close\r\n"))) as endpoint:
        stored = check_url(endpoint.url("127.0.0.1", target), EndpointPolicy.LOCAL)
        assert isinstance(stored, str)
        command = as_curl(stored, {"content-type": "application/json"}, "{}")

        subprocess.run(
            ["bash", "-c", command],  # noqa: S607
            check=True,
            capture_output=True,
            timeout=20,
        )

        assert endpoint.requests[0].startswith(f"POST {target_of(stored)} HTTP/1.1\r\n".encode())
