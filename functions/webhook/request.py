"""A delivery as a signed request, as Standard Webhooks defines it.

The receiver checks ``webhook-signature`` with the secret that it shares with us: its own, which is derived from the
master secret and the receiver's origin (``shared.webhook_secrets``). It recognises a repeated delivery by
``webhook-id``: the id of the delivery, which is the same at every attempt. To replace a secret without a gap, set the
new and the old one with a space between them: the request is signed with both, and the receiver needs one that matches.

The channel's config may set ``url``, ``method``, ``headers``, a ``body`` with placeholders, and with ``secret_ref`` the
name of another secret. The ``url`` of the config takes precedence over the recipient, because its headers and secret
are meant for that receiver only. With such a ``url`` the other secret is used as it is. Without one, the producer names
the receivers, and a secret is derived for each.

A config with a ``preset`` sets none of these (``preset_request.py``).

Credentials of the receiver are never in the config. ``url_secret_ref`` names the secret that replaces ``{secret}`` in
the ``url``, and ``header_secret_refs`` those that are sent in headers.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import httpx
import msgspec

from functions.webhook.chat import chat_message
from functions.webhook.credentials import BadRequest, secret_to_send, signers
from functions.webhook.preset_request import preset_request
from shared import webhook_body
from shared.content import WebhookContent
from shared.envelope import Delivery
from shared.reasons import Reason
from shared.webhook_presets import preset_of
from shared.webhook_secrets import PLACEHOLDER, origin

_LABEL_BYTES = 63  # the limit of DNS; Python's look-up raises an error for more
_LAST_PORT = 65535
METHODS = frozenset({"POST", "PUT", "PATCH"})


def request_of(delivery: Delivery, secrets: Mapping[str, str], now: datetime) -> httpx.Request:
    """The request. Raises ``BadRequest``, and ``CredentialsRefused`` if the master secret is unusable."""
    config = delivery.config
    if "preset" in config:
        preset = preset_of(config)
        if preset is None:
            raise BadRequest(Reason.UNKNOWN_PRESET, str(config["preset"]))
        return preset_request(preset, delivery, secrets)
    method = str(config.get("method", "POST")).upper()
    if method not in METHODS:
        raise BadRequest(Reason.INVALID_METHOD)
    url = _url_with_secret(config, secrets) or _url(delivery.recipient)
    receiver = _origin(url)
    body = msgspec.json.encode(_body(delivery))
    # Our headers come last, so that no config can replace the signature or the host that was checked.
    headers = httpx.Headers(config.get("headers", {}))
    for header, name in config.get("header_secret_refs", {}).items():
        headers[header] = secret_to_send(name, secrets, receiver)
    ours = {
        "Host": url.netloc.decode(),
        "Content-Type": "application/json",
        "User-Agent": "Heliograph",
        "webhook-id": delivery.delivery_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(
            signer.sign(delivery.delivery_id, now, body.decode()) for signer in signers(config, secrets, receiver)
        ),
    }
    headers.update(ours)
    return httpx.Request(method, url, headers=headers, content=body)


def _body(delivery: Delivery) -> dict[str, Any]:
    """The content's body, or the config's with its placeholders filled in."""
    body, template = delivery.content_as(WebhookContent).body, delivery.config.get("body")
    if template is None:
        return body
    values = {
        **chat_message(delivery, body)._asdict(),
        "body": body,
        "event_type": delivery.event_type,
        "user_id": delivery.user_id,
        "notification_id": delivery.notification_id,
        "created_at": delivery.created_at.isoformat(),
    }
    filled: dict[str, Any] = webhook_body.filled(template, values)
    return filled


def receiver_of(delivery: Delivery) -> str:
    """The receiver of a delivery, as a breaker key: its origin, or nothing if it has no usable URL.

    The receiver of a preset is the one that its secret is for: a service has many receivers at one origin.
    """
    if "preset" in delivery.config:
        return f"{delivery.config['preset']} {delivery.config.get('secret_ref')}"
    try:
        return _origin(_url(delivery.config.get("url") or delivery.recipient))
    except BadRequest:
        return ""


def _origin(url: httpx.URL) -> str:
    return origin(url.scheme, url.raw_host.decode(), url.port)


def _url_with_secret(config: Mapping[str, Any], secrets: Mapping[str, str]) -> httpx.URL | None:
    """The ``url`` of the config with its secret; None if the config has no ``url``."""
    template = str(config.get("url") or "")
    if not template:
        return None
    url, name = _url(template), config.get("url_secret_ref")
    if name is None:
        return url
    receiver = _origin(url)
    filled = _url(template.replace(PLACEHOLDER, secret_to_send(name, secrets, receiver)))
    if _origin(filled) != receiver:
        raise BadRequest(Reason.INVALID_URL)
    return filled


def _url(text: str) -> httpx.URL:
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise BadRequest(Reason.INVALID_URL) from None
    labels = url.raw_host.removesuffix(b".").split(b".")
    has_host = all(0 < len(label) <= _LABEL_BYTES for label in labels)
    has_port = url.port is None or 0 < url.port <= _LAST_PORT
    if url.scheme not in ("http", "https") or not has_host or not has_port:
        raise BadRequest(Reason.INVALID_URL)
    return url
