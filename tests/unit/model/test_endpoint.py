# ruff: noqa: RUF001 - characters that look like others are what is tried here
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from perkwire.model.endpoint import EndpointPolicy, Refusal, check_headers, check_url

PUBLIC = EndpointPolicy.PUBLIC
LOCAL = EndpointPolicy.LOCAL

ACCEPTED = {
    "https://example.com": "https://example.com/",
    "https://example.com/hook": "https://example.com/hook",
    "HTTPS://Example.COM:443/Hook?A=b": "https://example.com/Hook?A=b",
    "https://example.com:8443": "https://example.com:8443/",
    "https://example.com./hook": "https://example.com/hook",
    "https://example.com?x=1": "https://example.com/?x=1",
    "https://bücher.example/": "https://xn--bcher-kva.example/",
    "https://ＥＸＡＭＰＬＥ。com/": "https://example.com/",
    "https://exam\u00adple.com/": "https://example.com/",
    "https://my_app.example.com/": "https://my_app.example.com/",
    "https://example.com/é?q=ü": "https://example.com/%C3%A9?q=%C3%BC",
    "https://example.com/%c3%a9": "https://example.com/%C3%A9",
    "https://example.com/a//b/../c;d=1": "https://example.com/a//b/../c;d=1",
    'https://example.com/{"a"}|<b>': "https://example.com/%7B%22a%22%7D%7C%3Cb%3E",
    "https://8.8.8.8/": "https://8.8.8.8/",
    "https://[2606:4700:0:0::1]:8443/": "https://[2606:4700::1]:8443/",
    "https://example.com/@me": "https://example.com/@me",
    "https://example.com/?a=http://10.0.0.1": "https://example.com/?a=http://10.0.0.1",
}

HOSTILE = {
    "scheme": [
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "gopher://example.com/",
        "javascript:alert(1)",
        "//example.com/",
        "example.com",
        "https:example.com",
        "https:/example.com",
        "https:///example.com",
        "https://",
        "",
        "unix:///var/run/docker.sock",
        "ｈttps://example.com/",
    ],
    "characters": [
        " https://example.com/",
        "https://example.com/ ",
        "https://exa mple.com/",
        "https://example.com/\r\nHost: evil",
        "https://exam\tple.com/",
        "https://example.com/\x00",
        "https://example.com\\@evil.example/",
        "https:\\\\example.com",
        "https://example.com/\u2028",
        "https://example.com/\u00a0",
        "https://example.com/\ud800",
        "https://example.com/%",
        "https://example.com/%zz",
        "https://example.com/%2",
    ],
    "user info": [
        "https://user@example.com/",
        "https://user:pass@example.com/",
        "https://example.com@127.0.0.1/",
        "https://@example.com/",
        "https://example.com:443@evil.example/",
        "https://user%40x@example.com/",
    ],
    "fragment": ["https://example.com/#x", "https://example.com#", "https://example.com#@evil/"],
    "port": [
        "https://example.com:80/",
        "https://example.com:22/",
        "https://example.com:9001/",
        "https://example.com:0/",
        "https://example.com:0443/",
        "https://example.com:65536/",
        "https://example.com:/",
        "https://example.com:443:443/",
        "https://example.com:-443/",
        "https://example.com:４４３/",
        "https://example.com:443 /",
    ],
    "IPv4 in other notations": [
        "https://2130706433/",
        "https://0x7f000001/",
        "https://0x7f.0.0.1/",
        "https://0X7F.0.0.1/",
        "https://0177.0.0.1/",
        "https://017700000001/",
        "https://127.1/",
        "https://127.0.1/",
        "https://0/",
        "https://8.8.2056/",
        "https://1.2.3.4.5/",
        "https://127.0.0.01/",
        "https://256.1.1.1/",
        "https://3232235777/",
        "https://１２７.０.０.１/",
        "https://①②⑦.0.0.1/",
        "https://127。0。0。1/",
        "https://127.0.0.1./",
        "https://127.0.0.1../",
        "https://example.0x1/",
    ],
    "addresses": [
        "https://127.0.0.1/",
        "https://0.0.0.0/",
        "https://10.1.2.3/",
        "https://192.168.0.1:8443/",
        "https://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254./",
        "https://169.254.100.1/",
        "https://100.64.0.1/",
        "https://224.0.0.1/",
        "https://[::1]/",
        "https://[::]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:a9fe:a9fe]/",
        "https://[::127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
        "https://[2001::1]/",
        "https://[fe80::1]/",
        "https://[fe80::1%25eth0]/",
        "https://[2606:4700::1%25eth0]/",
        "https://[2606:4700::1%eth0]/",
        "https://[fd00:ec2::254]/",
        "https://[ff02::1]/",
        "https://[8.8.8.8]/",
        "https://[v1.fe80]/",
        "https://[]/",
        "https://[::1/",
        "https://::1/",
        "https://[2606:4700::1]x/",
    ],
    "names": [
        "https://localhost/",
        "https://LOCALHOST./",
        "https://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/",
        "https://app.localhost/",
        "https://metadata/",
        "https://metadata.google.internal/",
        "https://printer.local/",
        "https://example.com../",
        "https://.example.com/",
        "https://a..example.com/",
        "https://-a.example.com/",
        "https://a-.example.com/",
        "https://*.example.com/",
        "https://exa%6dple.com/",
        "https://127.0.0.1%2eexample.com/",
        "https://example.com%00.evil.example/",
        "https://exam℀ple.com/",
        "https://evil.c℀.example.com/",
        "https://example.com／@evil.example/",
        "https://straße.example/",
        "https://βόλος.example/",
        "https://a\u200db.example/",
        "https://\u202eexample.com/",
        f"https://{'a' * 64}.example.com/",
        f"https://{'a.' * 127}com/",
        "https://example,com/",
        "https://$(id).example.com/",
    ],
    "length": [f"https://example.com/{'a' * 2029}", f"https://example.com/{'é' * 400}"],
}


@pytest.mark.parametrize("policy", EndpointPolicy)
@pytest.mark.parametrize("given_url", ACCEPTED)
def test_a_url_is_put_into_normal_form(given_url: str, policy: EndpointPolicy) -> None:
    normal = ACCEPTED[given_url]
    assert check_url(given_url, policy) == normal
    assert check_url(normal, policy) == normal


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_url_is_refused(kind: str) -> None:
    results = {url: check_url(url, PUBLIC) for url in HOSTILE[kind]}
    assert {url: got for url, got in results.items() if not isinstance(got, Refusal)} == {}


def test_the_table_is_long_enough() -> None:
    assert sum(map(len, HOSTILE.values())) >= 60


@pytest.mark.parametrize(
    ("url", "detail"),
    [
        ("http://example.com/", "must use https"),
        ("https://example.com:80/", "must use port 443 or 8443"),
        (
            "https://u@example.com/",
            "must not hold a user name or password: they go into the header Authorization, as "
            "Basic and the base64 of user:password",
        ),
        ("https://example.com/#a", "must not have a fragment (#)"),
        ("https://10.0.0.1/", "must not point to a private or special address"),
        ("https://0x7f.1/", "must write an IPv4 address as four decimal numbers"),
        ("https://localhost/", "must have a public host name"),
        ("https://a..b.example/", "must have a valid host name"),
        ("https://straße.example/", "must give this international host name in its xn-- form"),
        ("https://example.com/%", "must have two hexadecimal digits after each %"),
        ("nonsense", "must be an absolute URL such as https://example.com/hook"),
        ("https://example.com/" + "a" * 2029, "must have at most 2048 characters"),
    ],
)
def test_a_refusal_says_what_is_wrong(url: str, detail: str) -> None:
    assert check_url(url, PUBLIC) == Refusal(detail)


def test_2048_characters_are_accepted() -> None:
    url = "https://example.com/" + "a" * 2028
    assert check_url(url, PUBLIC) == url


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("http://localhost:8000/hook", "http://localhost:8000/hook"),
        ("http://127.0.0.1:80/", "http://127.0.0.1/"),
        ("https://127.0.0.1:443/", "https://127.0.0.1/"),
        ("http://[::1]:9999/", "http://[::1]:9999/"),
        ("http://receiver:8080/", "http://receiver:8080/"),
    ],
)
def test_the_local_policy_also_allows_http_any_port_and_loopback(url: str, normal: str) -> None:
    assert check_url(url, LOCAL) == normal
    assert isinstance(check_url(url, PUBLIC), Refusal)


@pytest.mark.parametrize(
    "url",
    [
        "http://10.0.0.1/",
        "http://169.254.169.254/",
        "http://0.0.0.0/",
        "http://[fe80::1]/",
        "http://0x7f.1:8000/",
        "ftp://localhost/",
        "http://u@localhost/",
        "http://localhost:65536/",
        "http://[::127.0.0.1]/",
    ],
)
def test_the_local_policy_allows_no_more_than_that(url: str) -> None:
    assert isinstance(check_url(url, LOCAL), Refusal)


@pytest.mark.parametrize("policy", EndpointPolicy)
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "8.8.8.8", "example.com"])
def test_a_denied_port_is_refused_for_every_host(host: str, policy: EndpointPolicy) -> None:
    denied = frozenset({443, 4566})
    for url in (f"https://{host}:4566/", f"https://{host}/", f"http://{host}:443/"):
        assert isinstance(check_url(url, policy, denied_ports=denied), Refusal)


@given(st.text(), st.sampled_from(EndpointPolicy))
def test_any_text_is_refused_or_normalised_for_good(text: str, policy: EndpointPolicy) -> None:
    for url in (text, f"https://{text}", f"https://example.com/{text}", f"https://{text}.com/"):
        normal = check_url(url, policy)
        if isinstance(normal, str):
            assert check_url(normal, policy) == normal
            assert re.fullmatch(r"https?://[a-z0-9._\[\]:-]+/[!-~]*", normal)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer a b\tc"},
        {"X-Api-Key": "k!~", "Cookie": "a=b; c=d", "Accept": "*/*"},
        {"!#$%&'*+-.^_`|~09azAZ": "x"},
        {f"X-{number}": "v" for number in range(20)},
        {"X-Long": "v" * (3072 - len('{"X-Long":""}'))},
    ],
)
def test_ordinary_headers_are_accepted_unchanged(headers: dict[str, str]) -> None:
    assert check_headers(headers) == headers


@pytest.mark.parametrize(
    "name",
    ["X-Shop", "X-Hostname", "X-Original", "X-Method", "X-CF-Shop", "CF-Access-Client-Secret"],
)
def test_a_name_that_only_resembles_one_is_the_owners(name: str) -> None:
    assert check_headers({name: "x"}) == {name: "x"}


@pytest.mark.parametrize(
    "name", ["", "a b", "a:", "a\r\nb", "ä", "a\x00", "(a)", "a/b", "a\t", '"a"']
)
def test_a_name_that_is_no_token_is_refused(name: str) -> None:
    assert check_headers({name: "x"}) == [(name, "is not a valid header name")]


@pytest.mark.parametrize(
    "value",
    ["", " a", "a ", "\ta", "a\r\nX: y", "a\nb", "a\x00b", "é", "\x7f", "a\x1b[31m", " ", "\u2028"],
)
def test_a_value_that_is_not_visible_ascii_is_refused_without_being_shown(value: str) -> None:
    detail = "must be visible ASCII, with spaces and tabs inside only"
    assert check_headers({"X-A": value}) == [("X-A", detail)]


def test_every_wrong_header_is_named() -> None:
    wrong = check_headers({"X-A": "1", "x-a": "2", "Host": "h", "b c": "d", "X-B": "\n"})
    assert isinstance(wrong, list)
    assert [name for name, _ in wrong] == ["x-a", "Host", "b c", "X-B"]


def test_no_more_than_20_headers() -> None:
    headers = {f"X-{number}": "v" for number in range(21)}
    assert check_headers(headers) == [("", "must be at most 20")]


def test_no_more_than_3072_bytes() -> None:
    headers = {"X-Long": "v" * (3073 - len('{"X-Long":""}'))}
    assert check_headers(headers) == [("", "must have at most 3072 bytes in all")]


@pytest.mark.parametrize("value", ['"', "\\"])
def test_headers_are_measured_as_the_json_that_is_encrypted(value: str) -> None:
    room = 3072 - len('{"X-Long":""}')
    assert isinstance(check_headers({"X-Long": value * (room // 2)}), dict)
    assert check_headers({"X-Long": value * (room // 2 + 1)}) == [
        ("", "must have at most 3072 bytes in all")
    ]


def test_too_many_and_too_long_are_two_errors_beside_those_of_single_headers() -> None:
    headers = {f"X-{number}": "v" * 200 for number in range(21)} | {"TE": "x"}
    wrong = check_headers(headers)
    assert isinstance(wrong, list)
    assert [name for name, _ in wrong] == ["TE", "", ""]


# Of any text next to nothing is accepted: of these few letters, some.
NAMES = st.text("Xy-9", min_size=1) | st.text("Xy-9 :\r\n\x00é")
VALUES = st.text("ab 9", min_size=1).map(str.strip) | st.text("ab \t\r\n\x00\x7fé")


@given(st.dictionaries(NAMES, VALUES, max_size=3))
@example({"X-Shop": "till\t7"})
def test_what_is_accepted_cannot_break_a_request(headers: dict[str, str]) -> None:
    accepted = check_headers(headers)
    if isinstance(accepted, dict):
        for name, value in accepted.items():
            assert re.fullmatch(r"[!-~]+: [!-~](?:[\t -~]*[!-~])?", f"{name}: {value}")
