"""Who may call what.

Producers and operators carry an API key, ``Authorization: Bearer hg_…``. Google's pushes carry an OIDC token, which is
verified here by the same code in production and on one machine; only the address of the certificates differs.
"""

import hashlib
import secrets

import jwt
from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from publisher_api.errors import Problem, unavailable
from publisher_api.settings import Settings
from publisher_api.store.catalog import Catalog

_PREFIX = "hg_"
_ISSUERS = ("https://accounts.google.com", "accounts.google.com")
_LEEWAY_SECONDS = 30


def new_api_key() -> str:
    """A key of 256 random bits. It is shown once and stored as a hash only."""
    return _PREFIX + secrets.token_urlsafe(32)


def hash_api_key(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


class ApiKeys:
    """Knows producers by their keys."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    async def producer(self, request: Request) -> str:
        """The producer that the request's key belongs to. Raises ``Problem`` (401)."""
        key = _bearer(request)
        snapshot = self._catalog.cached()
        if snapshot is None:
            snapshot = await run_in_threadpool(self._catalog.current)
        producer = snapshot.producers.get(hash_api_key(key))
        if producer is None:
            raise _unauthorized("This API key is not known, or was revoked.")
        return producer


class GooglePushes:
    """Verifies the tokens that Pub/Sub signs its pushes with."""

    def __init__(self, settings: Settings) -> None:
        self._audience = settings.push_audience
        self._service_account = settings.push_service_account
        self._keys = jwt.PyJWKClient(settings.google_certs_url, cache_keys=True, lifespan=3600, timeout=5)

    def verify(self, request: Request) -> None:
        """Raises ``Problem``: 401 for a token that is not our push account's, 503 when the certificates are away.

        May fetch the certificates, so it runs in a worker thread.
        """
        token = _bearer(request)
        try:
            claims = jwt.decode(
                token,
                self._keys.get_signing_key_from_jwt(token),
                algorithms=["RS256"],
                audience=self._audience,
                issuer=_ISSUERS,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["exp", "iat", "aud", "iss"]},
            )
        except jwt.PyJWKClientConnectionError:
            raise unavailable("Google's certificates cannot be fetched.") from None
        except jwt.PyJWTError as error:
            raise _unauthorized(f"The push's token is not valid: {error}.") from None
        if claims.get("email") != self._service_account or claims.get("email_verified") is not True:
            raise _unauthorized("The push's token belongs to another account.")


def _bearer(request: Request) -> str:
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not credential:
        raise _unauthorized("Send the header `Authorization: Bearer <API key>`.")
    return credential


def _unauthorized(detail: str) -> Problem:
    return Problem(401, "unauthorized", detail, headers={"WWW-Authenticate": "Bearer"})
