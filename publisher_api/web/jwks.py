"""The public keys of an issuer of tokens (JWKS), and the checks that each of its tokens must pass."""

import json
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import jwt

from publisher_api.refusal import Refusal, RefusalCode

LEEWAY = timedelta(seconds=30)
ASYMMETRIC = ("RS256", "ES256")
"""The algorithms of keys that an issuer serves. Each is bound to its type of key, so none can be taken for a secret."""
_FRESH_SECONDS = 3600.0
_KEPT_SECONDS = 86_400.0
_FETCH_SECONDS = 5
_FAILURE_SECONDS = 5.0
# All tokens wait for a fetch. While there are keys to go on with, most need not.
_FAILURE_SECONDS_WITH_KEYS = 60.0


class IssuerKeys(jwt.PyJWKClient):
    """The issuer's keys. After a fetch that failed, it fails at once for a while: many tokens may wait for each.

    ``keys_url`` serves the keys; empty: the issuer's discovery document names it. They are fetched again after
    ``fresh_seconds``. While that fails, the last ones are used, until they are ``kept_seconds`` old.
    """

    def __init__(
        self,
        issuer: str,
        keys_url: str,
        *,
        fresh_seconds: float = _FRESH_SECONDS,
        kept_seconds: float = _KEPT_SECONDS,
    ) -> None:
        super().__init__(keys_url or issuer, lifespan=fresh_seconds, timeout=_FETCH_SECONDS)
        self._issuer = issuer
        self._keys_url = keys_url
        self._kept_seconds = kept_seconds
        self._kept: jwt.PyJWKSet | None = None
        self._fetched_at = 0.0
        self._failure: tuple[float, str] | None = None

    def get_jwk_set(self, refresh: bool = False) -> jwt.PyJWKSet:  # noqa: FBT001, FBT002 - PyJWT's signature
        """The keys. ``refresh``: those of now, because a token names a key that is not among the last ones."""
        try:
            self._kept = super().get_jwk_set(refresh)
        except jwt.PyJWKClientConnectionError:
            if refresh or self._kept is None or time.monotonic() - self._fetched_at > self._kept_seconds:
                raise
        return self._kept

    def fetch_data(self) -> Any:
        pause = _FAILURE_SECONDS if self._kept is None else _FAILURE_SECONDS_WITH_KEYS
        if self._failure and time.monotonic() - self._failure[0] < pause:
            raise jwt.PyJWKClientConnectionError(self._failure[1])
        try:
            self.uri = self._keys_url or _discovered(self._issuer)
            fetched = super().fetch_data()
        except (jwt.PyJWKClientError, OSError, ValueError) as error:
            self._failure = (time.monotonic(), str(error))
            raise jwt.PyJWKClientConnectionError(str(error)) from None
        self._fetched_at = time.monotonic()
        return fetched


@contextmanager
def refusing(what: str, keys: str) -> Iterator[None]:
    """Raises a ``Refusal`` for what PyJWT raises in the block: the token fails a check, or its keys are unavailable.

    ``what`` names the token (``The inbox token``), and ``keys`` its keys (``The keys of the identity provider``).
    """
    try:
        yield
    except jwt.PyJWKClientConnectionError:
        raise Refusal(RefusalCode.UNAVAILABLE, f"{keys} cannot be fetched.") from None
    except jwt.ExpiredSignatureError:
        raise Refusal(RefusalCode.CREDENTIAL_EXPIRED, f"{what} has expired. Get a new one.") from None
    except (jwt.PyJWTError, ValueError) as error:  # a lone surrogate
        raise Refusal(RefusalCode.UNAUTHORIZED, f"{what} is not valid: {error}.") from None


def decode(
    token: str, key: Any, algorithms: Sequence[str], issuer: str, audience: str, require: Sequence[str]
) -> dict[str, Any]:
    """The claims of a token. Raises ``jwt.PyJWTError`` if it fails a check, or lacks one of ``require``."""
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        algorithms=algorithms,
        issuer=issuer,
        audience=audience,
        leeway=LEEWAY,
        options={"require": [*require, "exp", "aud", "iss"]},
    )
    return claims


def _discovered(issuer: str) -> str:
    """The address of the issuer's keys, by OpenID Connect Discovery."""
    address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        with urllib.request.urlopen(address, timeout=_FETCH_SECONDS) as response:  # noqa: S310 - the operator sets it
            found: str = json.load(response)["jwks_uri"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise jwt.PyJWKClientConnectionError(f"{address}: {error}") from None
    return found
