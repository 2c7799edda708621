"""Whose tokens open an inbox: ours, and those of one identity provider. Nothing else does."""

import base64
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from local.tokens import Signer
from publisher_api.inbox.settings import InboxSettings, OidcSettings
from publisher_api.refusal import Refusal, RefusalCode
from publisher_api.web.inbox_tokens import InboxTokens
from tests.publisher.running import Publisher, serving

SECRET = "s" * 32
NOW = int(time.time())  # when the tests were collected: minutes may pass until they run
OURS = {"iss": "heliograph", "aud": "inbox", "sub": "ada", "iat": NOW, "exp": NOW + 86_400}
THEIRS = {"iss": "https://issuer.example", "aud": "shop", "sub": "ada", "iat": NOW, "exp": NOW + 86_400}


@dataclass
class Provider:
    """An identity provider: its keys over HTTP, and where they are."""

    url: str
    signer: Signer = field(default_factory=lambda: Signer("provider"))
    asked: list[str] = field(default_factory=list)

    def token(self, **claims: Any) -> str:
        return jwt.encode(THEIRS | claims, self.signer.key, algorithm="RS256", headers={"kid": self.signer.key_id})

    @property
    def settings(self) -> OidcSettings:
        return OidcSettings(issuer=THEIRS["iss"], audience="shop", keys_url=f"{self.url}/keys")  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            running.asked.append(self.path)
            documents = {
                "/keys": running.signer.certificates,
                "/.well-known/openid-configuration": {"jwks_uri": f"{running.url}/keys"},
            }
            body = json.dumps(documents[self.path]).encode() if self.path in documents else b"<html>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as server:
        running = Provider(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield running
        server.shutdown()
        thread.join()


@pytest.fixture
def tokens(provider: Provider) -> InboxTokens:
    return tokens_of(InboxSettings(oidc=provider.settings, token_secret=SECRET))


def tokens_of(settings: InboxSettings) -> InboxTokens:
    return InboxTokens(settings, partial(datetime.now, UTC))


def ours(secret: str = SECRET, algorithm: str = "HS256", **claims: Any) -> str:
    return jwt.encode(OURS | claims, secret, algorithm=algorithm)


def refusal(tokens: InboxTokens, token: str) -> RefusalCode:
    with pytest.raises(Refusal) as refused:
        tokens.verify(token)
    assert len(token) < 10 or token not in refused.value.detail
    return refused.value.code


def test_our_own_token_opens_its_users_inbox_for_an_hour(tokens: InboxTokens) -> None:
    token, expires_at = tokens.issue("ada@example.com")
    found = tokens.verify(token)
    assert found.user_id == "ada@example.com"
    assert (found.until - expires_at).total_seconds() == 30
    assert 3590 < (expires_at - datetime.now(UTC)).total_seconds() <= 3600


def test_a_token_of_the_identity_provider_opens_its_users_inbox(tokens: InboxTokens, provider: Provider) -> None:
    assert tokens.verify(provider.token(sub="grace")).user_id == "grace"


def test_keys_are_found_by_discovery(provider: Provider) -> None:
    settings = replace(provider.settings, issuer=provider.url, keys_url="")
    tokens = tokens_of(InboxSettings(oidc=settings))
    assert tokens.verify(provider.token(iss=provider.url)).user_id == "ada"


def test_unknown_keys_do_not_make_the_publisher_ask_the_provider_again_and_again(
    tokens: InboxTokens, provider: Provider
) -> None:
    tokens.verify(provider.token())
    before = len(provider.asked)
    for number in range(5):
        forged = jwt.encode(THEIRS, provider.signer.key, algorithm="RS256", headers={"kid": f"other-{number}"})
        assert refusal(tokens, forged) is RefusalCode.UNAUTHORIZED
    assert len(provider.asked) == before


@pytest.mark.parametrize(
    "claims",
    [{"exp": None}, {"aud": "shop"}, {"aud": None}, {"iss": "https://issuer.example"}, {"iss": None},
     {"sub": None}, {"sub": ""}, {"sub": "eve/inbox/n1"}, {"sub": ".."}, {"iat": None}],
)  # fmt: skip
def test_a_token_of_ours_with_a_wrong_claim_is_refused(tokens: InboxTokens, claims: dict[str, Any]) -> None:
    changed = {name: value for name, value in (OURS | claims).items() if value is not None}
    assert refusal(tokens, jwt.encode(changed, SECRET, algorithm="HS256")) is RefusalCode.UNAUTHORIZED


def test_a_token_that_has_expired_says_so(tokens: InboxTokens, provider: Provider) -> None:
    for token in (ours(exp=NOW - 60), provider.token(exp=NOW - 60)):
        assert refusal(tokens, token) is RefusalCode.CREDENTIAL_EXPIRED


@pytest.mark.parametrize("claims", [{"aud": "inbox"}, {"iss": "heliograph"}, {"sub": "a/b"}])
def test_a_token_of_the_provider_with_a_wrong_claim_is_refused(
    tokens: InboxTokens, provider: Provider, claims: dict[str, Any]
) -> None:
    assert refusal(tokens, provider.token(**claims)) is RefusalCode.UNAUTHORIZED


def test_a_token_that_is_signed_otherwise_is_refused(tokens: InboxTokens, provider: Provider) -> None:
    stranger = Signer("stranger")
    headers = {"kid": provider.signer.key_id}
    forged = [
        "", "x", "a.b.c",
        ours("t" * 32), ours("s" * 64, "HS512"),
        jwt.encode(OURS, None, algorithm="none"),  # type: ignore[arg-type]  # that is what "none" takes
        jwt.encode(THEIRS, stranger.key, algorithm="RS256", headers=headers),
        jwt.encode(THEIRS, provider.signer.key, algorithm="RS512", headers=headers),
        jwt.encode(THEIRS, SECRET, algorithm="HS256", headers=headers),
        jwt.encode(OURS, provider.signer.key, algorithm="RS256", headers=headers),
        provider.token()[:-4] + "AAAA",
    ]  # fmt: skip
    for token in forged:
        assert refusal(tokens, token) is RefusalCode.UNAUTHORIZED, token


def test_a_token_that_python_cannot_read_is_refused(tokens: InboxTokens) -> None:
    nested = base64.urlsafe_b64encode(b"[" * 40_000).decode()
    for token in (f"{nested}.e30.x", ours(exp=10**18), ours(exp=float("inf")), "\ud800"):
        assert refusal(tokens, token) is RefusalCode.UNAUTHORIZED


def test_a_provider_whose_keys_are_no_json_is_temporary(provider: Provider) -> None:
    settings = replace(provider.settings, keys_url=f"{provider.url}/page")
    assert refusal(tokens_of(InboxSettings(oidc=settings)), provider.token()) is RefusalCode.UNAVAILABLE


def test_the_public_key_of_the_provider_signs_no_token(provider: Provider) -> None:
    """PyJWT refuses to sign with such a key, so this signs by hand."""
    public = provider.signer.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    parts = [{"alg": "HS256", "typ": "JWT", "kid": provider.signer.key_id}, THEIRS]
    signed = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    signature = base64.urlsafe_b64encode(hmac.digest(public, signed, "sha256")).rstrip(b"=")
    forged = (signed + b"." + signature).decode()
    for secret in ("", SECRET):
        tokens = tokens_of(InboxSettings(oidc=provider.settings, token_secret=secret))
        assert refusal(tokens, forged) is RefusalCode.UNAUTHORIZED


def test_only_configured_sources_are_accepted(provider: Provider) -> None:
    assert refusal(tokens_of(InboxSettings(oidc=provider.settings)), ours()) is RefusalCode.UNAUTHORIZED
    assert refusal(tokens_of(InboxSettings(token_secret=SECRET)), provider.token()) is RefusalCode.UNAUTHORIZED


def test_a_provider_that_is_away_is_temporary(provider: Provider) -> None:
    nowhere = "http://127.0.0.1:1"
    for settings in (
        replace(provider.settings, keys_url=f"{nowhere}/keys"),
        replace(provider.settings, issuer=nowhere, keys_url=""),
    ):
        assert refusal(tokens_of(InboxSettings(oidc=settings)), provider.token()) is RefusalCode.UNAVAILABLE


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a server that accepts connections and answers nothing."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_a_provider_that_answers_nothing_delays_no_other_request(
    publisher: Publisher, provider: Provider, silent: str
) -> None:
    inbox = replace(publisher.settings.inbox, oidc=replace(provider.settings, keys_url=f"{silent}/keys"))
    calls = 60  # more than the threads in which plain routes run
    with (
        serving(replace(publisher.settings, inbox=inbox)) as url,
        httpx.Client(base_url=url, timeout=30, limits=httpx.Limits(max_connections=calls + 1)) as http,
        ThreadPoolExecutor(calls) as threads,
    ):
        headers = {"Authorization": f"Bearer {provider.token()}"}
        waiting = [threads.submit(http.get, "/v1/inbox", headers=headers) for _ in range(calls)]
        time.sleep(1)
        began = time.monotonic()
        response = http.get("/v1/users/unknown", headers={"Authorization": publisher.http.headers["Authorization"]})
        assert response.status_code == 404
        assert time.monotonic() - began < 2
        assert {each.result().status_code for each in waiting} == {503}
        assert time.monotonic() - began < 10, "only the first waits for the provider, for 5 s"
