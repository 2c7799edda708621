"""The secrets of a webhook: those that sign a request, and those that are sent to the receiver.

A secret that a channel names is the channel's configuration: if it cannot be used, the channel's deliveries fail and no
operator is alerted. Only the master secret concerns every channel.
"""

from collections.abc import Mapping
from typing import Any

from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from shared.errors import CredentialsRefused
from shared.reasons import Reason
from shared.webhook_secrets import SETTING, origin_of, secrets_of


class BadRequest(Exception):
    """No request can be built from the channel's config and the recipient."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason
        self.detail = detail


def signers(config: Mapping[str, Any], secrets: Mapping[str, str], receiver: str) -> list[Webhook]:
    """One signer for each secret of the receiver with the origin ``receiver``. Raises as ``_unusable``."""
    name = str(config.get("secret_ref") or SETTING)
    setting = _given(name, secrets)
    try:
        is_receivers_own = name != SETTING and config.get("url")
        used = setting.split() if is_receivers_own else secrets_of(setting, receiver)
        return [Webhook(secret) for secret in used]
    except (ValueError, EmptyWebhookSecretError):
        raise _unusable(name, Reason.SECRET_MALFORMED, "is not whsec_ and base64") from None


def secret_to_send(name: str, secrets: Mapping[str, str], receiver: str) -> str | None:
    """The secret ``name``, which is sent to ``receiver``; None if it is for another receiver.

    The secret's value begins with the origin that it may be sent to. Otherwise whoever may configure a channel could
    have any secret of the webhook function sent to a host of their own. Raises ``BadRequest``.
    """
    allowed, _, secret = _given(name, secrets).partition(" ")
    try:
        is_for_receiver = origin_of(allowed) == receiver
    except ValueError:
        is_for_receiver, secret = False, ""
    if not secret:
        raise _unusable(name, Reason.SECRET_MALFORMED, "is not an origin, a space and the secret")
    return secret if is_for_receiver else None


def _given(name: str, secrets: Mapping[str, str]) -> str:
    setting = secrets.get(name, "").strip()
    if not setting:
        raise _unusable(name, Reason.SECRET_MISSING, "is not set")
    return setting


def _unusable(name: str, reason: Reason, what: str) -> BadRequest | CredentialsRefused:
    """``CredentialsRefused`` for the master secret, ``BadRequest`` for one that a channel names."""
    kind = CredentialsRefused if name == SETTING else BadRequest
    return kind(reason, f"{name} {what}")
