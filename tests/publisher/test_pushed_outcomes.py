"""POST /internal/outcomes: who may push outcomes in the google profile."""

import time
import uuid

import pytest

from local.tokens import Signer
from shared.outcomes import OPEN, encode
from tests.publisher.google import AUDIENCE, push
from tests.publisher.running import Publisher, outcome_of, problem_of


@pytest.mark.emulators
def test_an_outcome_that_cannot_be_decoded_is_a_400(google_publisher: Publisher, signer: Signer) -> None:
    response = push(google_publisher.url, b"{", signer.token(AUDIENCE, time.time()))
    assert problem_of(response)[:2] == (400, "malformed_request")


def token_of(case: str, signer: Signer, api_key: str) -> str:
    now = time.time()
    match case:
        case "none":
            return ""
        case "expired":
            return signer.token(AUDIENCE, now - 7200)
        case "another audience":
            return signer.token("https://elsewhere.test", now)
        case "another account":
            return Signer("other@x.test", signer.key, signer.key_id).token(AUDIENCE, now)
        case "another key":
            return Signer(signer.service_account).token(AUDIENCE, now)
        case _:
            return api_key


@pytest.mark.emulators
@pytest.mark.parametrize(
    "case", ["none", "expired", "another audience", "another account", "another key", "an API key"]
)
def test_a_push_without_googles_signature_for_us_is_refused(
    google_publisher: Publisher, signer: Signer, case: str
) -> None:
    [message] = google_publisher.topic.deliveries(google_publisher.accept())
    outcome = outcome_of(message.delivery_id)
    response = push(google_publisher.url, encode(outcome), token_of(case, signer, google_publisher.api_key))
    assert (response.status_code, response.headers["content-type"]) == (401, "application/problem+json")
    [row] = google_publisher.sql("select status from deliveries where delivery_id = %s", message.delivery_id)
    assert row["status"] in OPEN


def test_only_the_google_profile_has_the_route(publisher: Publisher, signer: Signer) -> None:
    response = push(publisher.url, encode(outcome_of(str(uuid.uuid4()))), signer.token(AUDIENCE, time.time()))
    assert problem_of(response)[:2] == (404, "not_found")
