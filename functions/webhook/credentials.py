"""The secrets of a webhook: those that sign a request, and those that are sent to the receiver."""

from collections.abc import Mapping
from typing import Any

import httpx
from standardwebhooks import Webhook

from shared.errors import CredentialsRefused
from shared.reasons import Reason
from shared.webhook_presets import Preset
from shared.webhook_secrets import MASTER_SECRET, key_of, origin_of, secrets_of


class BadRequest(Exception):
    """No request can be built from the channel's config and the recipient."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason
        self.detail = detail


def signers(config: Mapping[str, Any], secrets: Mapping[str, str], receiver: str) -> list[Webhook]:
    """One signer for each secret of the receiver with the origin ``receiver``.

    Raises ``CredentialsRefused`` if the master secret is unusable. A secret that only one channel names is its
    configuration: ``BadRequest``, and no operator is alerted.
    """
    name = str(config.get("secret_ref") or MASTER_SECRET)
    setting = secrets.get(name, "").split()
    reason, detail = Reason.SECRET_MISSING, f"{name} is not set"
    if setting:
        try:
            is_receivers_own = name != MASTER_SECRET and config.get("url")
            used = setting if is_receivers_own else secrets_of(secrets[name], receiver)
            return [Webhook(key_of(secret)) for secret in used]
        except ValueError:
            reason, detail = Reason.SECRET_MALFORMED, f"{name} is not whsec_ and base64"
    if name == MASTER_SECRET:
        raise CredentialsRefused(reason, detail)
    raise BadRequest(reason, detail)


def secret_to_send(name: str, secrets: Mapping[str, str], receiver: str) -> str:
    """The secret ``name``, which is sent to ``receiver``.

    The secret's value begins with the origin that it may be sent to. Otherwise a producer who may configure channels
    could have any secret of the webhook function sent to a host of their own. Raises ``BadRequest``.
    """
    setting = secrets.get(name, "").strip()
    if not setting:
        raise BadRequest(Reason.SECRET_MISSING, f"{name} is not set")
    allowed, _, secret = setting.partition(" ")
    try:
        is_for_receiver = origin_of(allowed) == receiver
    except ValueError:
        secret = ""
    if not secret:
        raise BadRequest(Reason.SECRET_MALFORMED, f"{name} is not an origin, a space and the secret")
    if not is_for_receiver:
        raise BadRequest(Reason.SECRET_NOT_FOR_RECEIVER)
    return secret


def secret_url(name: str, secrets: Mapping[str, str], preset: Preset) -> httpx.URL:
    """The secret ``name``, which is a URL of the preset's service. Raises ``BadRequest``, which does not contain it.

    A URL begins with the origin that may receive it, so no channel can have it sent elsewhere.
    """
    setting = secrets.get(name, "").strip()
    if not setting:
        raise BadRequest(Reason.SECRET_MISSING, f"{name} is not set")
    try:
        url = httpx.URL(setting)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme != "https" or not url.host or url.port is not None or not setting.isprintable() or " " in setting:
        raise BadRequest(Reason.SECRET_MALFORMED, f"{name} is not {preset.credential}")
    if not preset.has_host(url.raw_host.decode()):
        raise BadRequest(Reason.SECRET_NOT_FOR_RECEIVER, f"{name} is not {preset.credential}")
    return url
