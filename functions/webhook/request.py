"""A delivery as a signed request, as Standard Webhooks defines it.

The receiver checks ``webhook-signature`` with the secret that it shares with us. It recognises a repeated delivery by
``webhook-id``: the id of the delivery, which is the same at every attempt. To replace a secret without a gap, set the
new and the old one with a space between them: the request is signed with both, and the receiver needs one that matches.

The channel's config may set ``url``, ``method``, ``headers``, and with ``secret_ref`` the name of another secret. The
``url`` of the config takes precedence over the recipient, because its headers and secret are meant for that receiver
only.
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

SECRET = "WEBHOOK_SIGNING_SECRET"  # noqa: S105 - the name of the variable
_LABEL_BYTES = 63  # the limit of DNS; Python's look-up raises an error for more
METHODS = frozenset({"POST", "PUT", "PATCH"})


class BadRequest(Exception):
    """No request can be built from the channel's config and the recipient."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason
        self.detail = detail


def request_of(delivery: Delivery, secrets: Mapping[str, str], now: datetime) -> httpx.Request:
    """The request. Raises ``BadRequest``, and ``CredentialsRefused`` if the secret of all channels is unusable."""
    config = delivery.config
    method = str(config.get("method", "POST")).upper()
    if method not in METHODS:
        raise BadRequest(Reason.INVALID_METHOD)
    url = _url(config.get("url") or delivery.recipient)
    body = msgspec.json.encode(delivery.content_as(WebhookContent).body)
    signers = _signers(config.get("secret_ref"), secrets)
    # Our headers come last, so that no config can replace the signature or the host that was checked.
    headers = httpx.Headers(config.get("headers", {}))
    ours = {
        "Host": url.netloc.decode(),
        "Content-Type": "application/json",
        "User-Agent": "Heliograph",
        "webhook-id": delivery.delivery_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signer.sign(delivery.delivery_id, now, body.decode()) for signer in signers),
    }
    headers.update(ours)
    return httpx.Request(method, url, headers=headers, content=body)


def receiver_of(delivery: Delivery) -> str:
    """The receiver of a delivery: scheme, host and port, or nothing if the address is no URL."""
    try:
        url = httpx.URL(str(delivery.config.get("url") or delivery.recipient))
    except httpx.InvalidURL:
        return ""
    return f"{url.scheme}://{url.host.rstrip('.')}:{url.port or ''}"


def _signers(secret_ref: Any, secrets: Mapping[str, str]) -> list[Webhook]:
    """The signers of a channel. A secret that only one channel names is its configuration, and no operator is paged."""
    name = str(secret_ref or SECRET)
    given = secrets.get(name, "").split()
    try:
        signers = [Webhook(secret) for secret in given]
    except (ValueError, EmptyWebhookSecretError):
        reason, detail = Reason.SECRET_MALFORMED, f"{name} is not whsec_ and base64"
    else:
        if signers:
            return signers
        reason, detail = Reason.SECRET_MISSING, f"{name} is not set"
    if secret_ref:
        raise BadRequest(reason, detail)
    raise CredentialsRefused(reason, detail)


def _url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise BadRequest(Reason.INVALID_URL) from None
    labels = url.raw_host.rstrip(b".").split(b".")
    if url.scheme not in ("http", "https") or not all(0 < len(label) <= _LABEL_BYTES for label in labels):
        raise BadRequest(Reason.INVALID_URL)
    return url
