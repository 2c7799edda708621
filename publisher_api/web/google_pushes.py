"""The OIDC tokens with which Google Pub/Sub signs its pushes.

The same code verifies them in production and on one machine, where only the address of the certificates differs.
"""

import jwt

from publisher_api.refusal import Refusal, RefusalCode
from publisher_api.settings import GoogleSettings
from publisher_api.web.jwks import LEEWAY, refusing

_ISSUERS = ("https://accounts.google.com", "accounts.google.com")
_CERTIFICATES_SECONDS = 3600.0


class GooglePushes:
    """Verifies the tokens of pushes.

    A key that Google withdraws is trusted until the certificates are fetched again, after ``certificates_seconds``.
    """

    def __init__(self, settings: GoogleSettings, certificates_seconds: float = _CERTIFICATES_SECONDS) -> None:
        self._audience = settings.push_audience
        self._service_account = settings.push_service_account
        # Without cache_keys: that cache of single keys never expires. The cache of the whole set does, and is as fast.
        self._keys = jwt.PyJWKClient(settings.certs_url, lifespan=certificates_seconds, timeout=5)

    def verify(self, token: str) -> None:
        """Raises ``Refusal`` if the token is not our push account's, or the certificates are unavailable.

        May fetch the certificates, so it must run in a worker thread.
        """
        with refusing("The push's token", "Google's certificates"):
            claims = jwt.decode(
                token,
                self._keys.get_signing_key_from_jwt(token),
                algorithms=["RS256"],
                audience=self._audience,
                issuer=_ISSUERS,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "aud", "iss"]},
            )
        if claims.get("email") != self._service_account or claims.get("email_verified") is not True:
            raise Refusal(RefusalCode.UNAUTHORIZED, "The push's token belongs to another account.")
