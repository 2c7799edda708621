"""Which producer calls: the owner of an API key, or the subject of a token that the producers' issuer signed."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import anyio
import anyio.to_thread
from fastapi.concurrency import run_in_threadpool
from pydantic import TypeAdapter, ValidationError

from publisher_api.api_keys.model import ProducerName
from publisher_api.api_keys.secret import START, hash_of
from publisher_api.api_keys.settings import IssuerSettings
from publisher_api.api_keys.uses import KeyUses
from publisher_api.db.config_cache import ConfigCache
from publisher_api.fields import Name
from publisher_api.principal import Principal, fault_of_tenant, scopes_of
from publisher_api.refusal import Refusal, RefusalCode
from publisher_api.web.jwks import ASYMMETRIC, IssuerKeys, decode, refusing

JWT = "jwt"
"""The credential of a producer with a token."""
_MAX_SCOPE = 2000
# While the issuer does not answer, they all wait for it, and no thread of the routes does.
_THREADS = 4
_producer_name: TypeAdapter[str] = TypeAdapter(ProducerName)
_tenant: TypeAdapter[str | None] = TypeAdapter(Name | None)


class Producers:
    """Finds the producer of a credential. ``issuer``: whose tokens are accepted besides API keys; None: none are.

    With ``threaded`` something else writes the uses of keys; without, a request does, once a minute.
    """

    def __init__(
        self,
        cache: ConfigCache,
        uses: KeyUses,
        issuer: IssuerSettings | None,
        clock: Callable[[], datetime],
        *,
        threaded: bool,
    ) -> None:
        self._cache = cache
        self._uses = uses
        self._tokens = Tokens(issuer) if issuer else None
        self._clock = clock
        self._threaded = threaded
        self._threads = anyio.CapacityLimiter(_THREADS)

    async def of(self, credential: str) -> Principal:
        """The producer. Raises ``Refusal`` if the credential is not valid, or cannot be checked now."""
        if credential.startswith(START) or self._tokens is None:
            return await self._of_key(credential)
        return await anyio.to_thread.run_sync(self._tokens.verify, credential, limiter=self._threads)

    async def _of_key(self, secret: str) -> Principal:
        configuration = self._cache.cached()
        if configuration is None:
            configuration = await run_in_threadpool(self._cache.current)
        key = configuration.api_keys.get(hash_of(secret))
        if key is None:
            raise Refusal(RefusalCode.UNAUTHORIZED, "This API key is unknown or revoked.")
        if key.expires_at is not None and key.expires_at <= self._clock():
            detail = f"The API key {key.principal.credential}… expired at {key.expires_at:%Y-%m-%dT%H:%M:%SZ}."
            raise Refusal(RefusalCode.CREDENTIAL_EXPIRED, detail)
        self._uses.note(key.key_id)
        if not self._threaded and self._uses.is_due:
            await run_in_threadpool(self._uses.write)
        return key.principal


class Tokens:
    """Verifies the tokens of one issuer.

    It has either a secret, for HS256, or public keys, for the other algorithms: a token cannot choose between them.
    """

    def __init__(self, settings: IssuerSettings) -> None:
        self._settings = settings
        self._keys = None if settings.secret else IssuerKeys(settings.issuer, settings.keys_url)

    def verify(self, token: str) -> Principal:
        """The producer. May fetch the keys, so it must not run in the event loop. Raises ``Refusal``."""
        with refusing("The token", "The keys of the producers' issuer"):
            return _principal(self._claims(token))

    def _claims(self, token: str) -> dict[str, Any]:
        issuer, audience = self._settings.issuer, self._settings.audience
        if self._keys is None:
            return decode(token, self._settings.secret, ["HS256"], issuer, audience, ())
        return decode(token, self._keys.get_signing_key_from_jwt(token), ASYMMETRIC, issuer, audience, ())


def _principal(claims: dict[str, Any]) -> Principal:
    name = claims.get("sub") or claims.get("azp") or claims.get("client_id")
    scope, tenant = claims.get("scope", ""), claims.get("tenant")
    if not isinstance(scope, str) or len(scope) > _MAX_SCOPE:
        raise _refused(f"scope must be at most {_MAX_SCOPE} characters, separated by spaces")
    try:
        producer, tenant = _producer_name.validate_python(name), _tenant.validate_python(tenant)
    except ValidationError as error:
        raise _refused(f"sub (or azp, client_id) or tenant: {error.errors()[0]['msg']}") from None
    scopes = scopes_of(scope.split())
    if fault := fault_of_tenant(tenant, scopes):
        raise _refused(f"scope: {fault}")
    return Principal(producer, JWT, scopes, tenant)


def _refused(detail: str) -> Refusal:
    return Refusal(RefusalCode.UNAUTHORIZED, f"The token is not valid: {detail}.")
