"""A delivery as a signed request, as Standard Webhooks defines it.

The receiver checks ``webhook-signature`` with the secret that it shares with us: its own, which is derived from the
master secret and the receiver's origin (``shared.webhook_secrets``). It recognises a repeated delivery by
``webhook-id``: the id of the delivery, which is the same at every attempt. To replace a secret without a gap, set the
new and the old one with a space between them: the request is signed with both, and the receiver needs one that matches.

The channel's config may set ``url``, ``method``, ``headers``, and with ``secret_ref`` the name of another secret. The
``url`` of the config takes precedence over the recipient, because its headers and secret are meant for that receiver
only. With such a ``url`` the other secret is used as it is. Without one, the producer names the receivers, and a
secret is derived for each.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx
import msgspec
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from shared.content import WebhookContent
from shared.envelope import Delivery
from shared.errors import CredentialsRefused
from shared.reasons import Reason
from shared.webhook_secrets import SETTING, origin, secrets_of

SECRET = SETTING
_LABEL_BYTES = 63  # the limit of DNS; Python's look-up raises an error for more
METHODS = frozenset({"POST", "PUT", "PATCH"})


class BadRequest(Exception):
    """No request can be built from the channel's config and the recipient."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def request_of(delivery: Delivery, secrets: Mapping[str, str], now: datetime) -> httpx.Request:
    """The request. Raises ``BadRequest``, and ``CredentialsRefused`` if ``secrets`` lacks the secret."""
    config = delivery.config
    method = str(config.get("method", "POST")).upper()
    if method not in METHODS:
        raise BadRequest(Reason.INVALID_METHOD)
    url = _url(config.get("url") or delivery.recipient)
    body = msgspec.json.encode(delivery.content_as(WebhookContent).body)
    # Our headers come last, so that no config can replace the signature or the host that was checked.
    headers = httpx.Headers(config.get("headers", {}))
    ours = {
        "Host": url.netloc.decode(),
        "Content-Type": "application/json",
        "User-Agent": "Heliograph",
        "webhook-id": delivery.delivery_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(
            signer.sign(delivery.delivery_id, now, body.decode()) for signer in _signers(config, secrets, url)
        ),
    }
    headers.update(ours)
    return httpx.Request(method, url, headers=headers, content=body)


def receiver_of(delivery: Delivery) -> str:
    """The receiver of a delivery, as a breaker key: its origin, or nothing if it has no usable URL."""
    try:
        return _origin(_url(delivery.config.get("url") or delivery.recipient))
    except BadRequest:
        return ""


def _origin(url: httpx.URL) -> str:
    return origin(url.scheme, url.raw_host.decode(), url.port)


def _signers(config: Mapping[str, Any], secrets: Mapping[str, str], url: httpx.URL) -> list[Webhook]:
    own = config.get("secret_ref")
    name = str(own or SECRET)
    setting = secrets.get(name, "")
    if not setting.split():
        raise CredentialsRefused(Reason.SECRET_MISSING, f"{name} is not set")
    try:
        used = setting.split() if own and config.get("url") else secrets_of(setting, _origin(url))
        return [Webhook(secret) for secret in used]
    except (ValueError, EmptyWebhookSecretError):
        raise CredentialsRefused(Reason.SECRET_MALFORMED, f"{name} is not whsec_ and base64") from None


def _url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise BadRequest(Reason.INVALID_URL) from None
    labels = url.raw_host.rstrip(b".").split(b".")
    if url.scheme not in ("http", "https") or not all(0 < len(label) <= _LABEL_BYTES for label in labels):
        raise BadRequest(Reason.INVALID_URL)
    return url
