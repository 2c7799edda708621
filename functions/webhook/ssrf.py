"""Keeps webhooks out of our own network: they may go to public addresses only (server-side request forgery)."""

import ipaddress
import socket

_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")
# What Python's table lacks, or calls global, in any of its versions: IETF protocols (RFC 6890), 6to4 and the anycast
# address of its relays (RFC 7526), the former 6bone (RFC 3701) and documentation (RFC 9637).
_SPECIAL = tuple(
    map(
        ipaddress.ip_network,
        ("192.0.0.0/24", "192.88.99.0/24", "2001::/23", "2002::/16", "3ffe::/16", "3fff::/20"),
    )
)
_ISATAP = (b"\x00\x00\x5e\xfe", b"\x02\x00\x5e\xfe")


class ForbiddenHost(Exception):
    """The host has an address in a private network."""


class UnresolvedHost(Exception):
    """The host has no address at the moment."""


def resolve(host: str, port: int, *, allow_private: bool) -> list[str]:
    """The addresses of ``host``, as text. Connect to them and not to ``host``: DNS could answer differently next time.

    Raises ``ForbiddenHost`` if any address of ``host`` is not public, and ``UnresolvedHost``.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UnresolvedHost(host) from error
    addresses = list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))
    if not allow_private and not all(is_public(address) for address in addresses):
        raise ForbiddenHost(host)
    return addresses


def is_public(address: str) -> bool:
    """Whether ``address`` is on the public internet, also when it is embedded in an IPv6 address.

    >>> is_public("93.184.215.14"), is_public("169.254.169.254"), is_public("::ffff:10.0.0.1")
    (True, False, False)
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if any(ip in network for network in _SPECIAL):
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return ip.is_global and not ip.is_multicast
    if ip.ipv4_mapped:
        return is_public(str(ip.ipv4_mapped))
    # Outside 2000::/3 nothing is public: translated (64:ff9b), compatible (::/96), site-local, multicast.
    if ip not in _GLOBAL_UNICAST or not ip.is_global:
        return False
    # An ISATAP tunnel passes a packet on to the IPv4 address in the last four bytes.
    return ip.packed[8:12] not in _ISATAP or is_public(str(ipaddress.IPv4Address(ip.packed[12:])))
