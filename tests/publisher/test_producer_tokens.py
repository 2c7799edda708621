"""Tokens that producers send in place of an API key: whose are accepted, and what they may do."""

import base64
import hmac
import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm

from local.tokens import Signer
from publisher_api.api_keys.settings import IssuerSettings
from publisher_api.inbox.settings import InboxSettings, OidcSettings
from publisher_api.principal import Principal, Scope
from publisher_api.refusal import Refusal, RefusalCode
from publisher_api.web.jwks import IssuerKeys
from publisher_api.web.producers import Tokens
from shared.errors import ConfigurationError
from tests.providers.server import Answer
from tests.providers.server import serving as serving_answers
from tests.publisher.running import Publisher, notification, problem_of, serving

SECRET = "p" * 32
NOW = int(time.time())
CLAIMS = {
    "iss": "https://issuer.example",
    "aud": "heliograph",
    "sub": "shop",
    "scope": "send read",
    "exp": NOW + 86_400,
}
BY_SECRET = IssuerSettings(issuer=CLAIMS["iss"], audience="heliograph", secret=SECRET)  # type: ignore[arg-type]


def signed(secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    changed = {name: value for name, value in (CLAIMS | claims).items() if value is not None}
    return jwt.encode(changed, secret, algorithm=algorithm)


def by_keys(certs_url: str) -> IssuerSettings:
    return replace(BY_SECRET, secret="", keys_url=certs_url)


def signed_by(signer: Signer, algorithm: str = "RS256", **claims: Any) -> str:
    return jwt.encode(CLAIMS | claims, signer.key, algorithm=algorithm, headers={"kid": signer.key_id})


def refusal(verify: Callable[[str], object], token: str) -> Refusal:
    with pytest.raises(Refusal) as refused:
        verify(token)
    assert len(token) < 10 or token not in refused.value.detail
    return refused.value


def test_a_token_names_the_producer_its_scopes_and_its_tenant() -> None:
    found = Tokens(BY_SECRET).verify(signed(scope="openid send  read_all", tenant="acme"))
    assert found == Principal("shop", "jwt", frozenset({Scope.SEND, Scope.READ_ALL}), "acme")


@pytest.mark.parametrize(
    ("claims", "producer"),
    [({"azp": "other"}, "shop"), ({"sub": None, "azp": "app"}, "app"), ({"sub": None, "client_id": "cli"}, "cli")],
)
def test_a_producer_is_named_by_sub_or_else_by_its_client(claims: dict[str, Any], producer: str) -> None:
    assert Tokens(BY_SECRET).verify(signed(**claims)).producer == producer


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": NOW - 60}, RefusalCode.CREDENTIAL_EXPIRED),
        *(
            (claims, RefusalCode.UNAUTHORIZED)
            for claims in (
                {"exp": None}, {"aud": "shop"}, {"aud": None}, {"iss": "https://other.example"}, {"iss": None},
                {"sub": None}, {"sub": ""}, {"sub": "x" * 200}, {"sub": "a\nb"}, {"scope": ["send"]},
                {"tenant": ""}, {"tenant": 7}, {"tenant": "a b"}, {"tenant": "acme", "scope": "send admin"},
                {"scope": "x" * 3000}, {"nbf": NOW + 3600},
            )
        ),
    ],
)  # fmt: skip
def test_a_token_with_a_wrong_claim_is_refused(claims: dict[str, Any], code: RefusalCode) -> None:
    assert refusal(Tokens(BY_SECRET).verify, signed(**claims)).code is code


def test_keys_of_the_issuer_sign_with_rs256_and_es256(signer: Signer, certs_url: str) -> None:
    assert Tokens(by_keys(certs_url)).verify(signed_by(signer)).producer == "shop"
    key = ec.generate_private_key(ec.SECP256R1())
    public = json.loads(ECAlgorithm.to_jwk(key.public_key())) | {"kid": "e", "alg": "ES256", "use": "sig"}
    with serving_answers() as issuer:
        issuer.answers = [Answer.json(200, {"keys": [public]})]
        token = jwt.encode(CLAIMS, key, algorithm="ES256", headers={"kid": "e"})
        assert Tokens(by_keys(f"{issuer.url}/keys")).verify(token).producer == "shop"


def test_a_token_cannot_choose_another_kind_of_key(signer: Signer, certs_url: str) -> None:
    """PyJWT refuses to sign with a public key as a secret, so this signs by hand."""
    public = signer.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    parts = [{"alg": "HS256", "typ": "JWT", "kid": signer.key_id}, CLAIMS]
    head = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    signature = base64.urlsafe_b64encode(hmac.digest(public, head, "sha256")).rstrip(b"=")
    forged = (head + b"." + signature).decode()
    unsigned = jwt.encode(CLAIMS, None, algorithm="none")  # type: ignore[arg-type]  # that is what "none" takes
    by_public, by_secret = Tokens(by_keys(certs_url)).verify, Tokens(BY_SECRET).verify
    for verify, token in [
        (by_public, forged), (by_public, signed()), (by_public, unsigned), (by_public, signed_by(signer, "RS512")),
        (by_public, signed_by(Signer("stranger"))), (by_secret, signed_by(signer)), (by_secret, unsigned),
        (by_secret, signed("q" * 32)), (by_secret, signed("p" * 64, "HS512")), (by_secret, "x"), (by_secret, "\ud800"),
    ]:  # fmt: skip
        assert refusal(verify, token).code is RefusalCode.UNAUTHORIZED


def test_an_issuer_that_is_away_is_temporary(signer: Signer) -> None:
    for settings in (by_keys("http://127.0.0.1:1/keys"), replace(by_keys(""), issuer="http://127.0.0.1:1")):
        assert refusal(Tokens(settings).verify, signed_by(signer)).code is RefusalCode.UNAVAILABLE


@pytest.mark.parametrize("failure", [Answer(500), Answer.json(200, []), Answer(200, b"<html>")])
def test_keys_that_cannot_be_fetched_again_are_used_for_a_day(signer: Signer, failure: Answer) -> None:
    with serving_answers() as issuer:
        issuer.answers = [Answer.json(200, signer.certificates), failure]
        keys = IssuerKeys("", f"{issuer.url}/keys", fresh_seconds=1e-9)
        for _ in range(2):
            assert keys.get_signing_key_from_jwt(signed_by(signer)).key_id == signer.key_id
        with pytest.raises(jwt.PyJWKClientConnectionError):
            keys.get_jwk_set(refresh=True)  # PyJWT's way to ask for a key that may be new
        assert len(issuer.asked) == 2, "after a failure it is not asked again for a while"

        issuer.answers = [Answer.json(200, signer.certificates), failure]
        keys = IssuerKeys("", f"{issuer.url}/keys", fresh_seconds=1e-9, kept_seconds=0)
        assert keys.get_signing_key_from_jwt(signed_by(signer)).key_id == signer.key_id
        with pytest.raises(jwt.PyJWKClientConnectionError):
            keys.get_signing_key_from_jwt(signed_by(signer))


def test_a_producer_sends_with_a_token_beside_producers_with_keys(publisher: Publisher) -> None:
    with serving(replace(publisher.settings, producers=BY_SECRET)) as url:

        def send(credential: str) -> httpx.Response:
            headers = {"Authorization": f"Bearer {credential}"}
            return httpx.post(f"{url}/v1/notifications", headers=headers, json=notification(), timeout=20)

        assert [send(credential).status_code for credential in (signed(), publisher.api_key)] == [202, 202]
        assert problem_of(send(signed(exp=NOW - 60))) == (401, "credential_expired", [])
        assert problem_of(send(signed(scope="read"))) == (403, "insufficient_scope", [])
    refused = publisher.http.get("/v1/users", headers={"Authorization": f"Bearer {signed(scope='admin')}"})
    assert problem_of(refused) == (401, "unauthorized", []), "without an issuer, no token is accepted"


ISSUER = {"PRODUCER_JWT_ISSUER": "https://issuer.example", "PRODUCER_JWT_AUDIENCE": "heliograph"}


def test_an_issuer_is_configured_by_a_secret_by_its_keys_or_by_its_discovery() -> None:
    none = InboxSettings()
    assert IssuerSettings.from_env({}, none) is None
    assert IssuerSettings.from_env({"PRODUCER_JWT_ISSUER": ""}, none) is None
    assert IssuerSettings.from_env(ISSUER, none) == replace(BY_SECRET, secret="")
    assert IssuerSettings.from_env({**ISSUER, "PRODUCER_JWT_SECRET": SECRET}, none) == BY_SECRET
    keys = {**ISSUER, "PRODUCER_JWT_ISSUER": "name", "PRODUCER_JWT_JWKS_URL": "https://k.example"}
    assert IssuerSettings.from_env(keys, none) == replace(by_keys("https://k.example"), issuer="name")
    assert SECRET not in repr(BY_SECRET)


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"PRODUCER_JWT_SECRET": SECRET}, "PRODUCER_JWT_ISSUER"),
        ({"PRODUCER_JWT_ISSUER": "https://issuer.example"}, "PRODUCER_JWT_AUDIENCE"),
        ({**ISSUER, "PRODUCER_JWT_SECRET": "p" * 31}, "PRODUCER_JWT_SECRET is too short"),
        ({**ISSUER, "PRODUCER_JWT_SECRET": SECRET, "PRODUCER_JWT_JWKS_URL": "https://k.example"}, "either"),
        ({**ISSUER, "PRODUCER_JWT_ISSUER": "name"}, "PRODUCER_JWT_ISSUER is no URL"),
        ({**ISSUER, "PRODUCER_JWT_JWKS_URL": "/keys"}, "PRODUCER_JWT_JWKS_URL is no URL"),
        ({**ISSUER, "PRODUCER_JWT_SECRET": "i" * 32}, "two secrets"),
        ({**ISSUER, "PRODUCER_JWT_AUDIENCE": "users"}, "PRODUCER_JWT_AUDIENCE"),
    ],
)
def test_settings_that_are_incomplete_or_let_users_pass_as_producers_are_refused(
    environ: dict[str, str], named: str
) -> None:
    users = OidcSettings(issuer="https://issuer.example", audience="users")
    with pytest.raises(ConfigurationError, match=named):
        IssuerSettings.from_env(environ, InboxSettings(oidc=users, token_secret="i" * 32))
