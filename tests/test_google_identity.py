"""Checks the publisher's identity: google-auth's credentials against a local token exchange, and the key set."""

import json
from collections.abc import Iterator
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from google.auth.credentials import Credentials
from google.auth.exceptions import OAuthError
from google.auth.transport.requests import Request
from google.oauth2 import service_account

from deploy import identity_key
from publisher_api.google_identity import LIFETIME, SCOPES, credentials_from_env, key_id
from shared.errors import ConfigurationError
from tests.fakes import Clock
from tests.providers.server import Answer, ScriptedServer, serving

ISSUER = "https://heliograph-publisher.invalid"
PROVIDER = (
    "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/heliograph-publisher/providers/publisher"
)
GRANTED = Answer.json(
    200,
    {
        "access_token": "google's token",
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "token_type": "Bearer",
        "expires_in": 3600,
    },
)


@pytest.fixture
def exchange() -> Iterator[ScriptedServer]:
    with serving() as server:
        server.answers = [GRANTED]
        yield server


def refresh(credentials: Credentials) -> None:
    credentials.refresh(Request())  # type: ignore[no-untyped-call]  # google-auth publishes no types


def environment(key: rsa.RSAPrivateKey) -> dict[str, str]:
    return {
        "GOOGLE_IDENTITY_ISSUER": ISSUER,
        "GOOGLE_IDENTITY_KEY": identity_key.pem(key),
        "GOOGLE_IDENTITY_PROVIDER": PROVIDER,
        "GOOGLE_IDENTITY_SUBJECT": "heliograph-publisher",
    }


def test_own_token_is_exchanged_for_googles_token(exchange: ScriptedServer) -> None:
    credentials = credentials_from_env(environment(identity_key.new_key()), token_url=f"{exchange.url}/v1/token")
    assert credentials is not None
    refresh(credentials)
    assert credentials.token == "google's token"
    form = exchange.asked[0].form
    assert form["audience"] == [PROVIDER]
    assert form["grant_type"] == ["urn:ietf:params:oauth:grant-type:token-exchange"]
    assert form["subject_token_type"] == ["urn:ietf:params:oauth:token-type:jwt"]
    assert form["scope"] == list(SCOPES)


def test_published_key_set_verifies_the_token(exchange: ScriptedServer) -> None:
    key, clock = identity_key.new_key(), Clock()
    credentials = credentials_from_env(environment(key), clock, f"{exchange.url}/v1/token")
    assert credentials is not None
    refresh(credentials)
    token = exchange.asked[0].form["subject_token"][0]
    published = jwt.PyJWKSet.from_json(identity_key.key_set(None, key.public_key()))
    header = jwt.get_unverified_header(token)
    claims = jwt.decode(
        token,
        published[header["kid"]],
        algorithms=["RS256"],
        audience=ISSUER,
        options={"verify_exp": False, "verify_iat": False},
    )
    assert claims["sub"] == "heliograph-publisher"
    assert claims["iss"] == ISSUER
    assert timedelta(seconds=claims["exp"] - claims["iat"]) == LIFETIME
    assert claims["iat"] == int(clock().timestamp())


def test_another_key_does_not_verify_the_token(exchange: ScriptedServer) -> None:
    credentials = credentials_from_env(environment(identity_key.new_key()), token_url=f"{exchange.url}/v1/token")
    assert credentials is not None
    refresh(credentials)
    other = jwt.PyJWK.from_dict(identity_key.jwk(identity_key.new_key().public_key()))
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(exchange.asked[0].form["subject_token"][0], other, algorithms=["RS256"], audience=ISSUER)


def test_refused_exchange_raises_google_auths_error(exchange: ScriptedServer) -> None:
    exchange.answers = [Answer.json(400, {"error": "invalid_grant", "error_description": "Wrong audience."})]
    credentials = credentials_from_env(environment(identity_key.new_key()), token_url=f"{exchange.url}/v1/token")
    assert credentials is not None
    with pytest.raises(OAuthError, match="invalid_grant"):
        refresh(credentials)


def test_incomplete_identity_names_every_missing_variable() -> None:
    with pytest.raises(
        ConfigurationError, match="GOOGLE_IDENTITY_ISSUER, GOOGLE_IDENTITY_KEY, GOOGLE_IDENTITY_SUBJECT"
    ):
        credentials_from_env({"GOOGLE_IDENTITY_PROVIDER": PROVIDER})


@pytest.mark.parametrize("key", ["not a key", identity_key.pem(ec.generate_private_key(ec.SECP256R1()))])  # type: ignore[arg-type]
def test_key_that_is_not_rsa_is_refused(key: str) -> None:
    with pytest.raises(ConfigurationError, match="GOOGLE_IDENTITY_KEY"):
        credentials_from_env(environment(identity_key.new_key()) | {"GOOGLE_IDENTITY_KEY": key})


def test_service_account_key_becomes_credentials() -> None:
    key = {
        "type": "service_account",
        "client_email": "heliograph-publisher@p.iam.gserviceaccount.com",
        "private_key": identity_key.pem(identity_key.new_key()),
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    credentials = credentials_from_env({"GOOGLE_SERVICE_ACCOUNT_KEY": json.dumps(key)})
    assert isinstance(credentials, service_account.Credentials)
    assert credentials.service_account_email == key["client_email"]


def test_without_identity_settings_there_are_no_credentials() -> None:
    assert credentials_from_env({}) is None


def test_new_key_is_added_before_the_old_one() -> None:
    old, new = identity_key.new_key().public_key(), identity_key.new_key().public_key()
    both = json.loads(identity_key.key_set(identity_key.key_set(None, old), new))
    assert [key["kid"] for key in both["keys"]] == [key_id(new), key_id(old)]
    assert all("d" not in key for key in both["keys"])
