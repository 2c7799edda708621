"""The tokens with which users call their own inbox: ``Authorization: Bearer <inbox token>``.

No URL carries one, because URLs are logged. A token is of an identity provider (OIDC, Firebase for example), or our
own, which a producer gets for its user.
"""

import json
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import anyio.to_thread
import jwt
from fastapi import Request

from publisher_api import addresses
from publisher_api.inbox.settings import InboxSettings, OidcSettings
from publisher_api.refusal import Refusal, RefusalCode, not_found
from publisher_api.web.authentication import CheckedRoute, bearer

LIFETIME = timedelta(hours=1)
_LEEWAY = timedelta(seconds=30)
_ISSUER, _AUDIENCE, _ALGORITHM = "heliograph", "inbox", "HS256"
_OIDC_ALGORITHMS = ["RS256", "ES256"]
_KEYS_SECONDS = 3600.0
_FETCH_SECONDS = 5
_FAILURE_SECONDS = 5.0
# While the provider does not answer, they all wait for it, and no thread of the routes does.
_THREADS = 4


@dataclass(frozen=True, slots=True)
class InboxUser:
    """The user that a token was made for. It is accepted until ``until``."""

    user_id: str
    until: datetime


class InboxTokens:
    """Verifies tokens, and makes our own.

    A token signed with HS256 must be ours, any other must be the identity provider's. Each has its own keys,
    algorithms, issuer and audience, so that no key can be used in place of another.
    """

    def __init__(self, settings: InboxSettings, clock: Callable[[], datetime]) -> None:
        self._secret = settings.token_secret
        self._provider = _IdentityProvider(settings.oidc) if settings.oidc else None
        self._clock = clock
        self._threads = anyio.CapacityLimiter(_THREADS)

    def issue(self, user_id: str) -> tuple[str, datetime]:
        """A token of ours for ``user_id``, and when it expires. Raises ``Refusal``."""
        if not self._secret:
            raise not_found("The secret of inbox tokens", "Set INBOX_TOKEN_SECRET in the publisher.")
        now = self._clock().replace(microsecond=0)
        claims = {"iss": _ISSUER, "aud": _AUDIENCE, "sub": user_id, "iat": now, "exp": now + LIFETIME}
        return jwt.encode(claims, self._secret, algorithm=_ALGORITHM), now + LIFETIME

    async def user(self, token: str) -> InboxUser:
        """The user of ``token``. Raises ``Refusal`` if it is not valid, or the provider's keys are unavailable."""
        return await anyio.to_thread.run_sync(self.verify, token, limiter=self._threads)

    def verify(self, token: str) -> InboxUser:
        """As ``user``. May fetch the keys, so it must not run in the event loop."""
        try:
            ours = jwt.get_unverified_header(token).get("alg") == _ALGORITHM
            claims = self._claims_of_ours(token) if ours else self._claims_of_provider(token)
            user_id = addresses.user_id(claims["sub"])
            until = datetime.fromtimestamp(claims["exp"], UTC) + _LEEWAY
        except jwt.PyJWKClientConnectionError:
            raise Refusal(RefusalCode.UNAVAILABLE, "The keys of the identity provider cannot be fetched.") from None
        except (OverflowError, OSError) as error:  # of fromtimestamp
            raise _refused(f"The inbox token is not valid: exp: {error}.") from None
        except (jwt.PyJWTError, ValueError) as error:  # BadAddress, a year that is too late, a lone surrogate
            raise _refused(f"The inbox token is not valid: {error}.") from None
        return InboxUser(user_id, until)

    def _claims_of_ours(self, token: str) -> dict[str, Any]:
        if not self._secret:
            raise _refused("This publisher makes no inbox tokens of its own.")
        return _decode(token, self._secret, [_ALGORITHM], _ISSUER, _AUDIENCE)

    def _claims_of_provider(self, token: str) -> dict[str, Any]:
        if self._provider is None:
            raise _refused("This publisher accepts tokens of no identity provider.")
        return self._provider.claims(token)


class _Keys(jwt.PyJWKClient):
    """The provider's keys. After a fetch that failed, it fails at once for a while: many tokens may wait for each."""

    def __init__(self, settings: OidcSettings) -> None:
        super().__init__(settings.keys_url or settings.issuer, lifespan=_KEYS_SECONDS, timeout=_FETCH_SECONDS)
        self._settings = settings
        self._failure: tuple[float, str] | None = None

    def fetch_data(self) -> Any:
        if self._failure and time.monotonic() - self._failure[0] < _FAILURE_SECONDS:
            raise jwt.PyJWKClientConnectionError(self._failure[1])
        try:
            self.uri = self._settings.keys_url or _discovered(self._settings.issuer)
            return super().fetch_data()
        except (jwt.PyJWKClientConnectionError, OSError, ValueError) as error:
            self._failure = (time.monotonic(), str(error))
            raise jwt.PyJWKClientConnectionError(str(error)) from None


class _IdentityProvider:
    def __init__(self, settings: OidcSettings) -> None:
        self._settings = settings
        self._keys = _Keys(settings)

    def claims(self, token: str) -> dict[str, Any]:
        key = self._keys.get_signing_key_from_jwt(token)
        return _decode(token, key, _OIDC_ALGORITHMS, self._settings.issuer, self._settings.audience)


def _decode(token: str, key: Any, algorithms: list[str], issuer: str, audience: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=algorithms,
        issuer=issuer,
        audience=audience,
        leeway=_LEEWAY,
        options={"require": ["exp", "iat", "sub", "aud", "iss"]},
    )
    return claims


def _discovered(issuer: str) -> str:
    """The address of the provider's keys, by OpenID Connect Discovery."""
    address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        with urllib.request.urlopen(address, timeout=_FETCH_SECONDS) as response:  # noqa: S310 - the operator sets it
            found: str = json.load(response)["jwks_uri"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise jwt.PyJWKClientConnectionError(f"{address}: {error}") from None
    return found


def _refused(detail: str) -> Refusal:
    return Refusal(RefusalCode.UNAUTHORIZED, detail)


async def require_inbox_user(request: Request) -> InboxUser:  # async: FastAPI runs plain functions in a thread
    """The user who calls: the dependency of every route of a user's own inbox."""
    found: InboxUser | None = getattr(request.state, "inbox_user", None)
    if found is None:
        tokens: InboxTokens = request.app.state.services.inbox_tokens
        found = await tokens.user(bearer(request, "inbox token"))
        request.state.inbox_user = found
    return found


class InboxRoute(CheckedRoute):
    """Checks the inbox token."""

    async def check(self, request: Request) -> None:
        await require_inbox_user(request)
