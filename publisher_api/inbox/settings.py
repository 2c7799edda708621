"""The settings of the inbox that users call themselves: whose tokens are accepted, and from which web pages. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.errors import ConfigurationError

MIN_SECRET_BYTES = 32
_FIREBASE_KEYS = "https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com"
_ORIGIN = re.compile(r"https?://[^/?#@\s]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """An identity provider. ``keys_url`` serves the keys (JWKS) that sign its tokens; empty: its discovery names it."""

    issuer: str
    audience: str
    keys_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxSettings:
    """``oidc``: whose tokens are accepted; None: only ours are. ``token_secret``: signs our own; empty: there
    are none. ``origins``: the web pages that may call the inbox, besides those of the publisher's own host.
    """

    oidc: OidcSettings | None = None
    token_secret: str = field(default="", repr=False)
    origins: frozenset[str] = frozenset()

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "InboxSettings":
        """Raises ``ConfigurationError``."""
        secret = environ.get("INBOX_TOKEN_SECRET", "")
        if secret and len(secret.encode()) < MIN_SECRET_BYTES:
            message = f"INBOX_TOKEN_SECRET is too short: set at least {MIN_SECRET_BYTES} bytes (openssl rand -hex 32)."
            raise ConfigurationError(message)
        origins = [each.strip() for each in environ.get("INBOX_ORIGINS", "").split(",") if each.strip()]
        if malformed := [each for each in origins if not _ORIGIN.fullmatch(each)]:
            message = f"INBOX_ORIGINS has {malformed[0]!r}. Write origins like https://shop.example, without a path."
            raise ConfigurationError(message)
        return cls(oidc=_oidc(environ), token_secret=secret, origins=frozenset(each.lower() for each in origins))


def _oidc(environ: Mapping[str, str]) -> OidcSettings | None:
    issuer, audience = environ.get("INBOX_OIDC_ISSUER", ""), environ.get("INBOX_OIDC_AUDIENCE", "")
    project = environ.get("FIREBASE_PROJECT", "")
    if project and (issuer or audience):
        raise ConfigurationError("Set either FIREBASE_PROJECT, or INBOX_OIDC_ISSUER and INBOX_OIDC_AUDIENCE.")
    if project:
        return OidcSettings(
            issuer=f"https://securetoken.google.com/{project}", audience=project, keys_url=_FIREBASE_KEYS
        )
    if not issuer and not audience:
        return None
    # Without an audience, a token that was made for another application would open the inbox.
    if missing := [name for name in ("INBOX_OIDC_ISSUER", "INBOX_OIDC_AUDIENCE") if not environ.get(name)]:
        raise ConfigurationError.missing(missing)
    keys_url = environ.get("INBOX_JWKS_URL", "")
    if not (keys_url or issuer).lower().startswith(("https://", "http://")):
        name = "INBOX_JWKS_URL" if keys_url else "INBOX_OIDC_ISSUER"
        raise ConfigurationError(f"{name} is no URL. An issuer that is none needs INBOX_JWKS_URL.")
    return OidcSettings(issuer=issuer, audience=audience, keys_url=keys_url)
