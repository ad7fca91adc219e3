import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perkwire.model.address import is_allowed
from perkwire.model.endpoint import EndpointPolicy

PUBLIC = ["8.8.8.8", "1.1.1.1", "52.95.110.1", "172.15.0.1", "172.32.0.1", "100.63.255.255"]
PUBLIC += ["100.128.0.1", "198.17.0.1", "223.255.255.1", "2606:4700::6810:84e5", "2a00:1450::1"]
PUBLIC += ["2600:1f18::1", "::ffff:8.8.8.8"]

LOOPBACK = ["127.0.0.1", "127.1.2.3", "127.255.255.255", "::1", "::ffff:127.0.0.1"]

HOSTILE = {
    "this host": ["0.0.0.0", "0.1.2.3", "::"],  # noqa: S104
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"],
    "carrier-grade NAT": ["100.64.0.1", "100.100.100.200", "100.127.255.255"],
    "link-local": ["169.254.0.1", "fe80::1", "fe80::1%eth0", "febf::1"],
    "metadata": ["169.254.169.254", "fd00:ec2::254", "169.254.170.2", "fd00:ec2::23"],
    "runtime API and X-Ray": ["169.254.100.1", "169.254.79.129"],
    "assigned to protocols": ["192.0.0.1", "192.0.0.9", "192.0.0.10", "192.0.0.170"],
    "documentation": ["192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::1", "3fff::1"],
    "6to4 relay": ["192.88.99.1"],
    "benchmarking": ["198.18.0.1", "198.19.255.255", "2001:2::1"],
    "multicast": ["224.0.0.1", "239.255.255.250", "232.1.1.1", "ff02::1", "ff0e::1"],
    "reserved": ["240.0.0.1", "255.255.255.255"],
    "mapped": ["::ffff:10.0.0.1", "::ffff:169.254.169.254", "::ffff:a9fe:a9fe", "::ffff:0.0.0.0"],
    "mapped, with a zone": ["::ffff:8.8.8.8%1"],
    "compatible": ["::127.0.0.1", "::169.254.169.254", "::10.0.0.1", "::8.8.8.8"],
    "translated (SIIT)": ["::ffff:0:127.0.0.1", "::ffff:0:169.254.169.254"],
    "NAT64": ["64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "64:ff9b::808:808"],
    "6to4": ["2002:7f00:1::", "2002:a9fe:a9fe::", "2002:0a00:1::1", "2002:808:808::1"],
    "Teredo": ["2001::1", "2001:0:a9fe:a9fe::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"],
    "ORCHID": ["2001:10::1", "2001:20::1", "2001:30::1"],
    "unique local": ["fc00::1", "fd12:3456::1"],
    "site-local": ["fec0::1", "feff::1"],
    "discard, SRv6, not given out": ["100::1", "5f00::1", "4000::1", "e000::1", "1::1"],
    "not an address": ["", "localhost", "127.1", "0x7f.0.0.1", "0177.0.0.1", "2130706433", "1.2.3"],
    "not an address either": ["127.0.0.1.", " 127.0.0.1", "[::1]", "127.0.0.1:80", "१२७.0.0.1"],
}


@pytest.mark.parametrize("address", PUBLIC)
@pytest.mark.parametrize("policy", EndpointPolicy)
def test_a_public_address_may_be_dialled(address: str, policy: EndpointPolicy) -> None:
    assert is_allowed(address, policy)


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("policy", EndpointPolicy)
def test_a_hostile_address_may_not(kind: str, policy: EndpointPolicy) -> None:
    assert [address for address in HOSTILE[kind] if is_allowed(address, policy)] == []


@pytest.mark.parametrize("address", LOOPBACK)
def test_loopback_is_for_the_local_policy_only(address: str) -> None:
    assert not is_allowed(address, EndpointPolicy.PUBLIC)
    assert is_allowed(address, EndpointPolicy.LOCAL)


def test_the_table_is_long_enough() -> None:
    assert sum(map(len, HOSTILE.values())) >= 60


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_inside_an_ipv6_one_is_never_a_way_round(
    address: ipaddress.IPv4Address,
) -> None:
    packed = int(address)
    forms = [packed, (0xFFFF << 48) | packed, (0x64FF9B << 96) | packed, (0x2002 << 112)]
    forms[3] |= packed << 80
    assert not any(
        is_allowed(str(ipaddress.IPv6Address(form)), EndpointPolicy.PUBLIC) for form in forms
    )
    mapped = str(ipaddress.IPv6Address((0xFFFF << 32) | packed))
    assert is_allowed(mapped, EndpointPolicy.PUBLIC) == is_allowed(
        str(address), EndpointPolicy.PUBLIC
    )
