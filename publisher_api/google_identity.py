"""Google credentials for the publisher, which runs outside Google Cloud.

*Keyless*: the publisher signs a token of its own, valid for ten minutes, and Google's token service exchanges it for an
access token, because a workload identity pool trusts the public key (``terraform/identity.tf``). No key of Google's
exists that could leak. *With a key*: a service account's key as JSON. With neither, Google's libraries look for
credentials themselves (a developer's login; none for an emulator). ``docs/decisions/0010`` says why the default is
keyless.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import identity_pool
from google.auth.credentials import Credentials
from google.oauth2 import service_account

from publisher_api.settings import KEYLESS, missing_identity
from shared.errors import ConfigurationError

SCOPES = ("https://www.googleapis.com/auth/pubsub",)
TOKEN_URL = "https://sts.googleapis.com/v1/token"  # noqa: S105 - an address
LIFETIME = timedelta(minutes=10)

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Identity(identity_pool.SubjectTokenSupplier):
    """Our identity and the key that proves it. ``issuer`` is also the token's audience."""

    issuer: str
    subject: str
    key: rsa.RSAPrivateKey
    clock: Clock

    def get_subject_token(self, context: object, request: object) -> str:  # noqa: ARG002 - google-auth's port
        """A newly signed token."""
        now = self.clock()
        claims = {
            "iss": self.issuer,
            "aud": self.issuer,
            "sub": self.subject,
            "iat": int(now.timestamp()),
            "exp": int((now + LIFETIME).timestamp()),
        }
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": key_id(self.key.public_key())})


def key_id(key: rsa.RSAPublicKey) -> str:
    """An id derived from a public key, so that both sides know it without agreeing on one."""
    der = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()[:16]


def _now() -> datetime:
    return datetime.now(UTC)


def credentials_from_env(
    environ: Mapping[str, str], clock: Clock = _now, token_url: str = TOKEN_URL
) -> Credentials | None:
    """The credentials that the environment describes, or ``None`` to let Google's libraries look for them.

    Raises ``ConfigurationError`` when a keyless identity is incomplete, or a key cannot be read.
    """
    if any(environ.get(name) for name in KEYLESS):
        if missing := missing_identity(environ):
            raise ConfigurationError.missing(missing)
        identity = Identity(
            issuer=environ["GOOGLE_IDENTITY_ISSUER"],
            subject=environ["GOOGLE_IDENTITY_SUBJECT"],
            key=_private_key(environ["GOOGLE_IDENTITY_KEY"]),
            clock=clock,
        )
        return identity_pool.Credentials(  # type: ignore[no-untyped-call]  # google-auth publishes no types
            audience=environ["GOOGLE_IDENTITY_PROVIDER"],
            subject_token_type="urn:ietf:params:oauth:token-type:jwt",  # noqa: S106 - a kind of token
            token_url=token_url,
            subject_token_supplier=identity,
            scopes=SCOPES,
        )
    if key := environ.get("GOOGLE_SERVICE_ACCOUNT_KEY"):
        found: Credentials = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]  # likewise
            _json(key), scopes=SCOPES
        )
        return found
    return None


def _private_key(pem: str) -> rsa.RSAPrivateKey:
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except ValueError:
        message = "GOOGLE_IDENTITY_KEY is not a private key in PEM (-----BEGIN PRIVATE KEY-----)."
        raise ConfigurationError(message) from None
    if not isinstance(key, rsa.RSAPrivateKey):
        message = "GOOGLE_IDENTITY_KEY must be an RSA key: the pool expects RS256."
        raise ConfigurationError(message)
    return key


def _json(text: str) -> dict[str, Any]:
    try:
        parsed: dict[str, Any] = json.loads(text)
    except json.JSONDecodeError:
        message = "GOOGLE_SERVICE_ACCOUNT_KEY is not JSON. Set it to the content of the key file."
        raise ConfigurationError(message) from None
    return parsed
