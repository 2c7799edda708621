"""Keeps webhooks out of our own network: they may go to public addresses only (server-side request forgery)."""

import ipaddress
import socket

_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")


class ForbiddenHost(Exception):
    """The host has an address in a private network."""


class UnresolvedHost(Exception):
    """The host has no address at the moment."""


def resolve(host: str, port: int, *, allow_private: bool) -> str:
    """The address to connect to, as text. Connect to it and not to ``host``: DNS could answer differently next time.

    Raises ``ForbiddenHost`` if any address of ``host`` is not public, and ``UnresolvedHost``.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise UnresolvedHost(host) from error
    addresses = [str(sockaddr[0]) for *_, sockaddr in found]
    if not allow_private and not all(is_public(address) for address in addresses):
        raise ForbiddenHost(host)
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether ``address`` is on the public internet, also when it is embedded in an IPv6 address.

    >>> is_public("93.184.215.14"), is_public("169.254.169.254"), is_public("::ffff:10.0.0.1")
    (True, False, False)
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if inner or ip in _TRANSLATED:
            return bool(inner) and is_public(str(inner))
    return ip.is_global and not ip.is_multicast
