"""Who may call what: one rule for each route.

Producers and operators send an API key, ``Authorization: Bearer hg_…``. Google's pushes carry an OIDC token; the same
code verifies it in production and on one machine, where only the address of the certificates differs. Users who read
their own inbox send an inbox token (``inbox_tokens.py``).
"""

import hashlib
import secrets
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine
from typing import Any

import jwt
from fastapi import Depends, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute

from publisher_api.db.config_cache import ConfigCache
from publisher_api.refusal import Refusal, RefusalCode
from publisher_api.settings import GoogleSettings

_PREFIX = "hg_"
_ISSUERS = ("https://accounts.google.com", "accounts.google.com")
_LEEWAY_SECONDS = 30
_CERTIFICATES_SECONDS = 3600.0
PUBLIC = "public"
"""The tag of routes that need no authentication."""


def new_api_key() -> str:
    """A new key of 256 random bits. It is shown once and stored as a hash only."""
    return _PREFIX + secrets.token_urlsafe(32)


def hash_api_key(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


class ApiKeys:
    """Finds the producer of an API key."""

    def __init__(self, cache: ConfigCache) -> None:
        self._cache = cache

    async def producer(self, request: Request) -> str:
        """The producer that the request's key belongs to. Raises ``Refusal``."""
        key = bearer(request)
        configuration = self._cache.cached()
        if configuration is None:
            configuration = await run_in_threadpool(self._cache.current)
        producer = configuration.producers.get(hash_api_key(key))
        if producer is None:
            raise Refusal(RefusalCode.UNAUTHORIZED, "This API key is unknown or revoked.")
        return producer


class GooglePushes:
    """Verifies the tokens with which Pub/Sub signs its pushes.

    A key that Google withdraws is trusted until the certificates are fetched again, after ``certificates_seconds``.
    """

    def __init__(self, settings: GoogleSettings, certificates_seconds: float = _CERTIFICATES_SECONDS) -> None:
        self._audience = settings.push_audience
        self._service_account = settings.push_service_account
        # Without cache_keys: that cache of single keys never expires. The cache of the whole set does, and is as fast.
        self._keys = jwt.PyJWKClient(settings.certs_url, lifespan=certificates_seconds, timeout=5)

    def verify(self, request: Request) -> None:
        """Raises ``Refusal`` if the token is not our push account's, or the certificates are unavailable.

        May fetch the certificates, so it must run in a worker thread.
        """
        token = bearer(request)
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
            raise Refusal(RefusalCode.UNAVAILABLE, "Google's certificates cannot be fetched.") from None
        except jwt.PyJWTError as error:
            raise Refusal(RefusalCode.UNAUTHORIZED, f"The push's token is not valid: {error}.") from None
        if claims.get("email") != self._service_account or claims.get("email_verified") is not True:
            raise Refusal(RefusalCode.UNAUTHORIZED, "The push's token belongs to another account.")


def bearer(request: Request, expected: str = "API key") -> str:
    """The credential of the header Authorization. Raises ``Refusal`` that asks for ``expected``."""
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not credential:
        raise Refusal(RefusalCode.UNAUTHORIZED, f"Send the header `Authorization: Bearer <{expected}>`.")
    return credential


async def require_api_key(request: Request) -> str:  # async: FastAPI runs plain functions in a thread
    """The producer that calls: the dependency of every route that is neither public nor Google's."""
    api_keys: ApiKeys = request.app.state.services.api_keys
    return await api_keys.producer(request)


class CheckedRoute(APIRoute, ABC):
    """Runs ``check`` before the body is read. FastAPI reads a body that it parses before it runs dependencies."""

    @abstractmethod
    async def check(self, request: Request) -> None:
        """Raises ``Refusal``."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def checked(request: Request) -> Response:
            await self.check(request)
            return await handler(request)

        return checked


class AuthenticatedRoute(CheckedRoute):
    """Checks the API key."""

    async def check(self, request: Request) -> None:
        await require_api_key(request)


def verify_google_push(request: Request) -> None:
    """Lets only Google's pushes pass."""
    google_pushes: GooglePushes = request.app.state.services.google_pushes
    google_pushes.verify(request)


require_google_push = Depends(verify_google_push)
