"""The issuer whose tokens producers may send in place of an API key. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from publisher_api.inbox.settings import MIN_SECRET_BYTES, InboxSettings
from shared.errors import ConfigurationError

_NAMES = ("PRODUCER_JWT_ISSUER", "PRODUCER_JWT_AUDIENCE")


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerSettings:
    """``issuer`` and ``audience`` are what each token must name.

    ``secret`` signs them with HS256; empty: keys (JWKS) at ``keys_url`` do, or at the address that the issuer's
    discovery document names.
    """

    issuer: str
    audience: str
    keys_url: str = ""
    secret: str = field(default="", repr=False)

    @classmethod
    def from_env(cls, environ: Mapping[str, str], inbox: InboxSettings) -> "IssuerSettings | None":
        """None without any of the variables. Raises ``ConfigurationError``."""
        issuer, audience, keys_url, secret = (
            environ.get(name, "") for name in (*_NAMES, "PRODUCER_JWT_JWKS_URL", "PRODUCER_JWT_SECRET")
        )
        if not any((issuer, audience, keys_url, secret)):
            return None
        if missing := [name for name in _NAMES if not environ.get(name)]:
            raise ConfigurationError.missing(missing)
        if secret and keys_url:
            raise ConfigurationError("Set either PRODUCER_JWT_SECRET or PRODUCER_JWT_JWKS_URL.")
        if secret and len(secret.encode()) < MIN_SECRET_BYTES:
            message = f"PRODUCER_JWT_SECRET is too short: set at least {MIN_SECRET_BYTES} bytes (openssl rand -hex 32)."
            raise ConfigurationError(message)
        if not secret and not (keys_url or issuer).lower().startswith(("https://", "http://")):
            name = "PRODUCER_JWT_JWKS_URL" if keys_url else "PRODUCER_JWT_ISSUER"
            raise ConfigurationError(f"{name} is no URL. An issuer that is none needs PRODUCER_JWT_JWKS_URL.")
        _check_distinct(issuer, audience, secret, inbox)
        return cls(issuer=issuer, audience=audience, keys_url=keys_url, secret=secret)


def _check_distinct(issuer: str, audience: str, secret: str, inbox: InboxSettings) -> None:
    """Raises ``ConfigurationError`` if a user's token could be taken for a producer's, or a producer's for a user's."""
    if secret and secret == inbox.token_secret:
        raise ConfigurationError("PRODUCER_JWT_SECRET is INBOX_TOKEN_SECRET. Users and producers need two secrets.")
    if inbox.oidc and (issuer, audience) == (inbox.oidc.issuer, inbox.oidc.audience):
        message = "Tokens of producers need an issuer or a PRODUCER_JWT_AUDIENCE that tokens of users do not have."
        raise ConfigurationError(message)
