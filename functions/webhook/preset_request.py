"""A delivery as a request to the chat service of a preset."""

from collections.abc import Mapping

import httpx
import msgspec

from functions.webhook.chat import chat_message, fitting
from functions.webhook.credentials import BadRequest, secret_to_send, secret_url
from functions.webhook.services import SERVICES
from shared.content import WebhookContent
from shared.envelope import Delivery
from shared.reasons import Reason
from shared.webhook_presets import STAND_IN, Preset
from shared.webhook_secrets import PLACEHOLDER, origin_of


def preset_request(preset: Preset, delivery: Delivery, secrets: Mapping[str, str]) -> httpx.Request:
    """The request. It is not signed: the service knows its sender by the secret. Raises ``BadRequest``."""
    service, recipient = SERVICES[preset.name], _recipient(preset, delivery)
    message = chat_message(delivery, delivery.content_as(WebhookContent).body)
    body = msgspec.json.encode(fitting(message, lambda each: service.write(each, recipient), service.fits))
    url, headers = _with_secret(preset, str(delivery.config.get("secret_ref", "")), secrets)
    if preset.query:
        url = url.copy_merge_params(preset.query)
    if stand_in := secrets.get(STAND_IN):
        there = httpx.URL(stand_in)
        url = url.copy_with(scheme=there.scheme, host=there.host, port=there.port)
    ours = {"Host": url.netloc.decode(), "Content-Type": "application/json; charset=utf-8", "User-Agent": "Heliograph"}
    return httpx.Request("POST", url, headers=headers | ours, content=body)


def _recipient(preset: Preset, delivery: Delivery) -> str:
    """Who gets the message; empty if the URL says it."""
    if preset.recipient is None:
        return ""
    recipient = str(delivery.config.get("recipient") or delivery.recipient)
    if not preset.accepts(recipient):
        raise BadRequest(Reason.INVALID_RECIPIENT, f"not {preset.recipient.description}")
    return recipient


def _with_secret(preset: Preset, name: str, secrets: Mapping[str, str]) -> tuple[httpx.URL, dict[str, str]]:
    """The URL and the headers with the secret ``name``."""
    if preset.secret_is_url:
        return secret_url(name, secrets, preset), {}
    receiver = origin_of(preset.url)
    secret = secret_to_send(name, secrets, receiver)
    if not secret.isascii() or not secret.isprintable() or " " in secret:
        raise BadRequest(Reason.SECRET_MALFORMED, f"{name} is not {preset.credential}")
    headers = {header: value.replace(PLACEHOLDER, secret) for header, value in preset.headers.items()}
    return httpx.URL(preset.url.replace(PLACEHOLDER, secret)), headers
