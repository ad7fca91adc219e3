"""Which IP addresses Perkwire may dial.

The rule is an allow-list: an IPv4 address must be globally reachable by the IANA special-purpose
registry (RFC 6890), an IPv6 address must lie in 2000::/3, the only space that IANA has given out,
and in no special block of it. `is_private` and its like are not enough: they let through
carrier-grade NAT, multicast, NAT64 and IPv4-compatible forms of 127.0.0.1, and for IPv6 their
answers change between Python versions.
"""

import enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address


class EndpointPolicy(enum.StrEnum):
    """How far endpoints are restricted: `public` for the cloud, `local` for a developer's machine.

    `local` also allows http, any port but the ones denied, and loopback addresses.
    """

    PUBLIC = "public"
    LOCAL = "local"


_GIVEN_OUT_IPV6 = IPv6Network("2000::/3")

_NEVER_IPV4 = (
    IPv4Network("192.0.0.0/24"),  # IETF protocol assignments; Python counts two of them as global
    IPv4Network("192.88.99.0/24"),  # 6to4 relay anycast, RFC 7526
)

# All of these lead somewhere else than they say, or nowhere.
_NEVER_IPV6 = (
    IPv6Network("2001::/23"),  # IETF protocol assignments: Teredo, ORCHIDv2, benchmarking, AMT …
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("2002::/16"),  # 6to4: holds an IPv4 address
    IPv6Network("3fff::/20"),  # documentation, RFC 9637
)


def is_allowed(address: str, policy: EndpointPolicy) -> bool:
    """Whether `address`, an IP address in text form, may be dialled; False for anything else.

    An IPv4-mapped IPv6 address is judged as the IPv4 address that it reaches; a zone id is refused.
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv6Address):
        if parsed.scope_id is not None:
            return False
        parsed = parsed.ipv4_mapped or parsed
    if policy is EndpointPolicy.LOCAL and parsed.is_loopback:
        return True
    if isinstance(parsed, IPv4Address):
        return _is_public_ipv4(parsed)
    return parsed in _GIVEN_OUT_IPV6 and not any(parsed in network for network in _NEVER_IPV6)


def _is_public_ipv4(address: IPv4Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in network for network in _NEVER_IPV4)
    )
