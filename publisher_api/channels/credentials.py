"""Keeps credentials of webhooks' receivers out of stored configs, and out of what the API shows."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from publisher_api.channels.configs import PLAIN_HEADERS, WebhookConfig
from publisher_api.refusal import invalid
from shared.addresses import AddressKind, redact
from shared.webhook_presets import PRESETS, Preset
from shared.webhook_secrets import PLACEHOLDER

# Hosts whose URLs are credentials, beside those of presets: who knows the URL may post.
_CREDENTIAL_DOMAINS = (".webhook.office.com",)
# What describes a request. A preset makes its request itself.
_REQUEST_FIELDS = ("body", "header_secret_refs", "headers", "method", "url", "url_secret_ref")
_HIDDEN = "***"


def check_credentials(config: WebhookConfig) -> None:
    """Raises ``Refusal`` if the URL holds a credential, or a secret that is sent has no URL to be sent to.

    Also for a preset that lacks its secret, and for fields that a preset does not use.
    """
    preset = PRESETS.get(config.preset or "")
    if preset is not None:
        _check_preset(config, preset)
    elif config.recipient is not None:
        raise invalid("config.recipient", "is for a preset with recipients; write the receiver in url")
    else:
        _check_url(config)


def _check_preset(config: WebhookConfig, preset: Preset) -> None:
    for name in _REQUEST_FIELDS:
        if getattr(config, name) is not None:
            raise invalid(f"config.{name}", f"cannot be set with the preset {preset.name}, which makes its own request")
    if config.secret_ref is None:
        message = f"is needed with the preset {preset.name}. The value of the secret is {preset.credential}"
        raise invalid("config.secret_ref", message)
    if config.recipient is not None and not preset.accepts(config.recipient):
        known = preset.recipient
        message = f"must be {known.description}" if known else f"is part of the secret's URL at {preset.title}"
        raise invalid("config.recipient", message)


def _check_url(config: WebhookConfig) -> None:
    url = config.url or ""
    if "#" in url:
        raise invalid("config.url", "has a fragment, which is never sent")
    if PLACEHOLDER in url:
        _check_template(url, config.url_secret_ref)
        return
    if config.url_secret_ref is not None:
        raise invalid("config.url", f"must contain {PLACEHOLDER}, which url_secret_ref replaces")
    if config.header_secret_refs and not url:
        raise invalid("config.url", "is needed with header_secret_refs: a secret is sent to one receiver only")
    if "?" in url:
        raise invalid("config.url", f"has a query, which may hold a credential; write {PLACEHOLDER} and url_secret_ref")
    _refuse_credential_host(urlsplit(url).hostname or "")


def _refuse_credential_host(host: str) -> None:
    named = next((each for each in PRESETS.values() if PLACEHOLDER in each.url and each.has_host(host)), None)
    if named is not None or host.endswith(_CREDENTIAL_DOMAINS):
        remedy = f"use the preset {named.name}, or write" if named else "write"
        raise invalid("config.url", f"is a credential at {host}; {remedy} {PLACEHOLDER} and url_secret_ref")


def _check_template(url: str, secret: str | None) -> None:
    if PLACEHOLDER in urlsplit(url).netloc:
        raise invalid("config.url", f"may contain {PLACEHOLDER} in its path or query only")
    if secret is None:
        raise invalid("config.url_secret_ref", f"must name the secret that replaces {PLACEHOLDER} in url")


def shown_config(config: Mapping[str, Any]) -> dict[str, Any]:
    """``config`` without what may be a credential. Configs of older releases contain such values."""
    shown = dict(config)
    if url := config.get("url"):
        shown["url"] = _shown_url(url)
    if headers := config.get("headers"):
        shown["headers"] = {
            name: value if name.lower() in PLAIN_HEADERS else _HIDDEN for name, value in headers.items()
        }
    return shown


def _shown_url(url: str) -> str:
    """A URL with a placeholder holds no credential in its path; any other may be one."""
    if PLACEHOLDER not in url:
        return redact(AddressKind.URL, url)
    path, mark, _ = url.partition("?")
    return path + (f"?{_HIDDEN}" if mark else "")
