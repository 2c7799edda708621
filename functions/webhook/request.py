"""A delivery as a signed request, by Standard Webhooks.

The receiver checks ``webhook-signature`` with the secret it shares with us, and knows a repeated delivery by
``webhook-id``, which is the delivery's and the same at every attempt. A secret is replaced without a gap while both are
given, the new and the old with a space between: the request is signed with each, and one that fits is enough.

The channel's config may give ``url`` (else the recipient is it), ``method``, ``headers``, and by ``secret_ref`` the
name of another secret. Its ``url`` wins over the recipient, for its headers and its secret are meant for that receiver
and for no other.
"""

from collections.abc import Mapping
from datetime import datetime

import httpx
import msgspec
from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from shared.content import WebhookContent
from shared.envelope import Delivery
from shared.errors import CredentialsRefused

SECRET = "WEBHOOK_SIGNING_SECRET"  # noqa: S105 - its name
_LABEL_BYTES = 63  # what a name server takes; Python's look-up raises for more
METHODS = frozenset({"POST", "PUT", "PATCH"})


class BadRequest(Exception):
    """The channel's config or the recipient makes no request; the reason is a short word."""


def request_of(delivery: Delivery, secrets: Mapping[str, str], now: datetime) -> httpx.Request:
    """The request. Raises ``BadRequest``, and ``CredentialsRefused`` when the secret is not among ``secrets``."""
    config = delivery.config
    method = str(config.get("method", "POST")).upper()
    if method not in METHODS:
        raise BadRequest("invalid_method")
    url = _url(config.get("url") or delivery.recipient)
    body = msgspec.json.encode(delivery.content_as(WebhookContent).body)
    name = str(config.get("secret_ref") or SECRET)
    # Ours come last, so that no config can take the place of the signature or of the host that was checked.
    headers = httpx.Headers(config.get("headers", {}))
    ours = {
        "Host": url.netloc.decode(),
        "Content-Type": "application/json",
        "User-Agent": "Heliograph",
        "webhook-id": delivery.delivery_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(
            signer.sign(delivery.delivery_id, now, body.decode()) for signer in _signers(name, secrets)
        ),
    }
    headers.update(ours)
    return httpx.Request(method, url, headers=headers, content=body)


def receiver_of(delivery: Delivery) -> str:
    """Who is to receive it: the scheme, host and port, as far as they can be read."""
    return "/".join(str(delivery.config.get("url") or delivery.recipient).split("/", 3)[:3])


def _signers(name: str, secrets: Mapping[str, str]) -> list[Webhook]:
    given = secrets.get(name, "").split()
    if not given:
        raise CredentialsRefused("secret_missing", f"{name} is not set")
    try:
        return [Webhook(secret) for secret in given]
    except (ValueError, EmptyWebhookSecretError):
        raise CredentialsRefused("secret_malformed", f"{name} is not whsec_ and base64") from None


def _url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise BadRequest("invalid_url") from None
    labels = url.raw_host.rstrip(b".").split(b".")
    if url.scheme not in ("http", "https") or not all(0 < len(label) <= _LABEL_BYTES for label in labels):
        raise BadRequest("invalid_url")
    return url
