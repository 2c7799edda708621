"""The tokens with which users call their own inbox: ``Authorization: Bearer <inbox token>``.

No URL carries one, because URLs are logged. A token is of an identity provider (OIDC, Firebase for example), or our
own, which a producer gets for its user.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio
import anyio.to_thread
import jwt

from publisher_api import addresses
from publisher_api.inbox.settings import InboxSettings, OidcSettings
from publisher_api.refusal import Refusal, RefusalCode, not_found
from publisher_api.web.jwks import ASYMMETRIC, LEEWAY, IssuerKeys, decode, refusing

LIFETIME = timedelta(hours=1)
_ISSUER, _AUDIENCE, _ALGORITHM = "heliograph", "inbox", "HS256"
_CLAIMS = ("iat", "sub")
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
        with refusing("The inbox token", "The keys of the identity provider"):
            ours = jwt.get_unverified_header(token).get("alg") == _ALGORITHM
            claims = self._claims_of_ours(token) if ours else self._claims_of_provider(token)
            user_id = addresses.user_id(claims["sub"])
            return InboxUser(user_id, _until(claims["exp"]))

    def _claims_of_ours(self, token: str) -> dict[str, Any]:
        if not self._secret:
            raise _refused("This publisher makes no inbox tokens of its own.")
        return decode(token, self._secret, [_ALGORITHM], _ISSUER, _AUDIENCE, _CLAIMS)

    def _claims_of_provider(self, token: str) -> dict[str, Any]:
        if self._provider is None:
            raise _refused("This publisher accepts tokens of no identity provider.")
        return self._provider.claims(token)


class _IdentityProvider:
    def __init__(self, settings: OidcSettings) -> None:
        self._settings = settings
        self._keys = IssuerKeys(settings.issuer, settings.keys_url)

    def claims(self, token: str) -> dict[str, Any]:
        key = self._keys.get_signing_key_from_jwt(token)
        return decode(token, key, ASYMMETRIC, self._settings.issuer, self._settings.audience, _CLAIMS)


def _until(exp: float) -> datetime:
    """When a token that expires at ``exp``, seconds since 1970, is refused. Raises ``ValueError``."""
    try:
        return datetime.fromtimestamp(exp, UTC) + LEEWAY
    except (OverflowError, OSError) as error:
        raise ValueError(f"exp: {error}") from None


def _refused(detail: str) -> Refusal:
    return Refusal(RefusalCode.UNAUTHORIZED, detail)
