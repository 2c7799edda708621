"""Where a webhook may go: to public addresses, never into our own network (server-side request forgery)."""

import ipaddress
import socket

_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")


class Forbidden(Exception):
    """The host is inside a network that is nobody else's business."""


class Unresolved(Exception):
    """The host has no address just now."""


def resolve(host: str, port: int, *, allow_private: bool) -> str:
    """The address to connect to, as text. Connecting to it, not to ``host``, is what keeps DNS from changing its mind.

    Raises ``Forbidden`` if any address of ``host`` is not public, and ``Unresolved``.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise Unresolved(host) from error
    addresses = [str(sockaddr[0]) for *_, sockaddr in found]
    if not allow_private and not all(is_public(address) for address in addresses):
        raise Forbidden(host)
    return addresses[0]


def is_public(address: str) -> bool:
    """Whether ``address`` is on the public internet, whatever it is wrapped in.

    >>> is_public("93.184.215.14"), is_public("169.254.169.254"), is_public("::ffff:10.0.0.1")
    (True, False, False)
    """
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo and ip.teredo[1])
        if inner or ip in _TRANSLATED:
            return bool(inner) and is_public(str(inner))
    return ip.is_global and not ip.is_multicast
