"""Checks the caller of a function as Cloud Run's IAM check does: only the push service account's token is accepted."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import jwt

from local.tokens import ISSUER

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


@dataclass(frozen=True, slots=True)
class OidcGate:
    """A WSGI application in front of ``app``. Responds with 401 when the request has no valid token."""

    app: "WSGIApplication"
    keys: jwt.PyJWKClient
    audience: str
    service_account: str

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if self._is_allowed(environ.get("HTTP_AUTHORIZATION", "")):
            return self.app(environ, start_response)
        start_response("401 Unauthorized", [("Content-Type", "text/plain"), ("WWW-Authenticate", "Bearer")])
        return [b"Only the push service account may call this function.\n"]

    def _is_allowed(self, authorization: str) -> bool:
        token = authorization.removeprefix("Bearer ")
        try:
            key = self.keys.get_signing_key_from_jwt(token)
            claims = jwt.decode(token, key, algorithms=["RS256"], audience=self.audience, issuer=ISSUER)
        except jwt.PyJWTError:
            return False
        return claims.get("email") == self.service_account and claims.get("email_verified") is True
