"""The kinds of address, and how each is redacted for logs and timelines."""

import re
from enum import Enum
from typing import assert_never

_AUTHORITY = re.compile(r"(https?://)([^/?#\\]+)", re.IGNORECASE)


class AddressKind(Enum):
    """What the recipient of a delivery is. The value says where a user's own address comes from."""

    EMAIL = "the user's e-mail address"
    PHONE = "the user's phone number in E.164"
    DEVICE_TOKEN = "the registration token of each of the user's devices"  # noqa: S105 - a description
    URL = "the URL in the channel's configuration"
    USER_ID = "the user's id"


def redact(kind: AddressKind, address: str) -> str:
    """``address`` with enough left to recognise it, and too little to send to it.

    >>> redact(AddressKind.EMAIL, "ada@example.com"), redact(AddressKind.PHONE, "+447700900123")
    ('a***@example.com', '+44***123')
    """
    match kind:
        case AddressKind.EMAIL:
            name, _, domain = address.rpartition("@")
            return f"{name[:1]}***@{domain}"
        case AddressKind.PHONE:
            return f"{address[:3]}***{address[-3:]}"
        case AddressKind.URL:
            return _redact_url(address)
        case AddressKind.USER_ID:
            return address
        case AddressKind.DEVICE_TOKEN:
            return f"{address[:6]}***"
        case _:
            assert_never(kind)


def _redact_url(url: str) -> str:
    """The origin of ``url``. User, path, query and fragment may each be a credential."""
    found = _AUTHORITY.match(url)
    return f"{found[1]}{found[2].rpartition('@')[2]}/***" if found else "***"
