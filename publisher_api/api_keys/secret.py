"""The secret of an API key. It is shown once and stored as a hash; its prefix tells keys apart."""

import hashlib
import secrets

START = "hg_"
_PREFIX_CHARACTERS = len(START) + 8


def new_secret() -> str:
    """A new secret of 256 random bits."""
    return START + secrets.token_urlsafe(32)


def hash_of(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def prefix_of(secret: str) -> str:
    """The part of a secret that is stored and shown; 208 bits of it stay unknown."""
    return secret[:_PREFIX_CHARACTERS]
