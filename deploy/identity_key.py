"""``python -m deploy.identity_key JWKS_FILE > key.pem``: create a key for a keyless publisher.

Prints the private key, for TF_VAR_publisher_private_key. Adds the public key to JWKS_FILE, which Terraform passes to
Google, and creates the file if it is missing. ``--only`` removes the older keys from the file.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from publisher_api.google_identity import key_id

_BITS = 2048


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=_BITS)


def pem(key: rsa.RSAPrivateKey) -> str:
    """The private key as unencrypted PKCS 8 in PEM."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def jwk(key: rsa.RSAPublicKey) -> dict[str, str]:
    """The public key as a JSON Web Key, with only the fields that a workload identity pool accepts."""
    full = RSAAlgorithm.to_jwk(key, as_dict=True)
    return {"kty": "RSA", "alg": "RS256", "use": "sig", "kid": key_id(key), "n": full["n"], "e": full["e"]}


def key_set(before: str | None, key: rsa.RSAPublicKey) -> str:
    """The JSON Web Key Set ``before`` with ``key`` added as its first key."""
    older: list[dict[str, Any]] = json.loads(before)["keys"] if before else []
    return json.dumps({"keys": [jwk(key), *older]}, indent=2) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.identity_key", description=__doc__)
    parser.add_argument("jwks_file", type=Path)
    parser.add_argument("--only", action="store_true", help="remove the older keys")
    arguments = parser.parse_args()
    path: Path = arguments.jwks_file
    key = new_key()
    before = path.read_text(encoding="utf-8") if path.exists() and not arguments.only else None
    path.write_text(key_set(before, key.public_key()), encoding="utf-8")
    sys.stdout.write(pem(key))


if __name__ == "__main__":
    main()
