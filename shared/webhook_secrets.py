"""The secret with which requests to one webhook receiver are signed, derived from a master secret.

Each receiver gets a secret of its own: the HMAC of its origin under the master secret. A receiver can therefore not
sign an event for another receiver, and we store no list of secrets. Secrets are those of Standard Webhooks: ``whsec_``
and base64.
"""

import base64
import hmac
from urllib.parse import urlsplit

MASTER_SECRET = "WEBHOOK_SIGNING_SECRET"  # noqa: S105 - the name of a variable
"""The variable with the master secret; while it rotates, the new and the old one with a space between them."""
PLACEHOLDER = "{secret}"
"""What a secret replaces in the ``url`` of a channel's config."""
_PREFIX = "whsec_"
_SHARED = "shared:"
_CONTEXT = "heliograph webhook receiver "
_PORTS = {"http": 80, "https": 443}


def origin(scheme: str, host: str, port: int | None) -> str:
    """The text that stands for a receiver. ``host`` is in ASCII. Raises ``ValueError`` unless it is http or https.

    >>> origin("https", "Hooks.example.", None), origin("http", "::1", 8080)
    ('https://hooks.example:443', 'http://[::1]:8080')
    """
    if scheme not in _PORTS or not host:
        raise ValueError("not a URL that starts with https:// and names a host")
    if not host.isascii():
        raise ValueError("the host is not in ASCII; write it with xn--")
    name = host.lower().rstrip(".")
    return f"{scheme}://{f'[{name}]' if ':' in name else name}:{port or _PORTS[scheme]}"


def origin_of(url: str) -> str:
    """The origin of ``url``. Raises ``ValueError``."""
    parts = urlsplit(url)
    return origin(parts.scheme, parts.hostname or "", parts.port)


def key_of(secret: str) -> bytes:
    """The key that ``secret`` stands for. Raises ``ValueError`` if it is empty or not base64.

    ``standardwebhooks`` skips characters that are not base64. It would sign with a key that no receiver has.
    """
    text = secret.removeprefix(_PREFIX)
    key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    if not key:
        raise ValueError("the secret is empty")
    return key


def derive(master: str, receiver: str) -> str:
    """The secret of the receiver with the origin ``receiver``. Raises ``ValueError`` if ``master`` is malformed."""
    digest = hmac.digest(key_of(master), (_CONTEXT + receiver).encode(), "sha256")
    return _PREFIX + base64.b64encode(digest).decode()


def is_shared(secret: str) -> bool:
    """Whether ``secret``, one of a setting, is a secret that all receivers still have."""
    return secret.startswith(_SHARED)


def secrets_of(setting: str, receiver: str) -> list[str]:
    """The secrets with which a request to ``receiver`` is signed: one for each master secret of ``setting``.

    ``shared:whsec_…`` in ``setting`` is a secret that all receivers still have, from before each had its own. It is
    used as it is. Raises ``ValueError`` if a master secret is malformed.
    """
    return [each.removeprefix(_SHARED) if is_shared(each) else derive(each, receiver) for each in setting.split()]
