"""Creates OIDC tokens like those of Google's push service, signed with a key of this machine."""

import json
import secrets
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import RSAAlgorithm

ISSUER = "https://accounts.google.com"
LIFETIME_SECONDS = 3600
_RENEW_BEFORE_SECONDS = 300


def write_key_file(path: Path, service_account: str, project: str, *, token_uri: str) -> None:
    """Write a service account key file in Google's format, with a new key. No Google service accepts the key."""
    key = rsa.generate_private_key(65537, 2048)
    account = {
        "type": "service_account",
        "project_id": project,
        "private_key_id": secrets.token_hex(8),
        "private_key": key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "client_email": service_account,
        "client_id": "0",
        "token_uri": token_uri,
    }
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps(account))


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs tokens for one service account. ``key_id`` is the ``kid`` under which the public key is served."""

    service_account: str
    key: rsa.RSAPrivateKey = field(default_factory=lambda: rsa.generate_private_key(65537, 2048), repr=False)
    key_id: str = field(default_factory=lambda: uuid.uuid4().hex)

    @classmethod
    def from_key_file(cls, service_account: str, path: Path) -> Self:
        """A signer with the key in ``path``, a service account key file in Google's format."""
        account = json.loads(path.read_text())
        key = load_pem_private_key(account["private_key"].encode(), password=None)
        if not isinstance(key, rsa.RSAPrivateKey):
            message = f"The key in {path} is not an RSA key. RS256 tokens need one."
            raise TypeError(message)
        return cls(service_account, key, account["private_key_id"])

    def token(self, audience: str, now: float) -> str:
        """A token for ``audience``, valid for an hour from ``now`` (seconds since the epoch)."""
        claims = {
            "iss": ISSUER,
            "aud": audience,
            "azp": self.service_account,
            "sub": self.service_account,
            "email": self.service_account,
            "email_verified": True,
            "iat": int(now),
            "exp": int(now) + LIFETIME_SECONDS,
        }
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": self.key_id})

    @property
    def certificates(self) -> dict[str, Any]:
        """The public key as a JSON Web Key Set, in the shape of https://www.googleapis.com/oauth2/v3/certs."""
        public = json.loads(RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [public | {"kid": self.key_id, "alg": "RS256", "use": "sig"}]}


@dataclass(slots=True)
class TokenSource:
    """The token for one audience, renewed shortly before it expires."""

    signer: Signer
    audience: str
    _token: str = ""
    _expires_at: float = 0.0

    def current(self) -> str:
        now = time.time()
        if now > self._expires_at - _RENEW_BEFORE_SECONDS:
            self._token, self._expires_at = self.signer.token(self.audience, now), now + LIFETIME_SECONDS
        return self._token
