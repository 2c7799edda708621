"""Keeps credentials of webhooks' receivers out of stored configs, and out of what the API shows."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from publisher_api.channels.model import PLAIN_HEADERS, ChannelConfig
from publisher_api.refusal import invalid
from shared.addresses import AddressKind, redact
from shared.webhook_secrets import PLACEHOLDER

# Hosts whose URLs are credentials: who knows the URL may post.
_CREDENTIAL_HOSTS = ("api.telegram.org", "chat.googleapis.com", "discord.com", "discordapp.com", "hooks.slack.com")
_CREDENTIAL_DOMAINS = (".webhook.office.com", ".logic.azure.com")
_HIDDEN = "***"


def check_credentials(config: ChannelConfig) -> None:
    """Raises ``Refusal`` if the URL holds a credential, or a secret that is sent has no URL to be sent to."""
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
    host = urlsplit(url).hostname or ""
    if host in _CREDENTIAL_HOSTS or host.endswith(_CREDENTIAL_DOMAINS):
        raise invalid("config.url", f"is a credential at {host}; write {PLACEHOLDER} and url_secret_ref")


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
