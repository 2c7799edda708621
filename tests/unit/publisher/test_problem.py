"""Problems: one status for each code, and the shape of RFC 9457."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from publisher_api.refusal import Refusal, RefusalCode, invalid, not_found
from publisher_api.web import problems
from publisher_api.web.problem import HEADERS_OF_CODE, STATUS_OF_CODE, problem_body


def test_every_code_has_one_status_and_a_title() -> None:
    assert set(STATUS_OF_CODE) == set(RefusalCode)
    assert all(code.description for code in RefusalCode)


def test_a_problem_says_what_is_wrong_and_where() -> None:
    assert problem_body(invalid("to.email", "not an e-mail address")) == {
        "type": "urn:heliograph:problem:invalid_request",
        "title": "The request is not valid",
        "status": 422,
        "detail": "to.email: not an e-mail address",
        "errors": [{"field": "to.email", "message": "not an e-mail address"}],
    }


def test_a_problem_has_the_members_of_its_own_code() -> None:
    assert problem_body(Refusal(RefusalCode.NOTHING_ACCEPTED, "none", members={"accepted": 0}))["accepted"] == 0


def test_not_found_says_how_to_create_what_is_missing() -> None:
    assert not_found("User 'x'", "Create it with PUT /v1/users/x.").detail == (
        "User 'x' not found. Create it with PUT /v1/users/x."
    )


def test_a_code_that_may_pass_says_when_to_retry() -> None:
    retried = {code for code, headers in HEADERS_OF_CODE.items() if "Retry-After" in headers}
    assert retried == {
        RefusalCode.IN_FLIGHT,
        RefusalCode.OVERLOADED,
        RefusalCode.TIMED_OUT,
        RefusalCode.TOO_MANY_STREAMS,
        RefusalCode.UNAVAILABLE,
    }


def test_an_unexpected_error_is_a_problem_and_its_log_names_the_route_without_ids(
    caplog: pytest.LogCaptureFixture,
) -> None:
    app = FastAPI()
    problems.install(app)

    @app.get("/users/{user_id}")
    def read(user_id: str) -> None:
        raise LookupError(user_id)

    response = asyncio.run(get(app, "/users/ada@example.com"))
    assert (response.status_code, response.headers["Content-Type"]) == (500, "application/problem+json")
    assert "ada" not in response.text
    [record] = [each for each in caplog.records if vars(each).get("event") == "request.failed"]
    assert (vars(record)["method"], vars(record)["route"]) == ("GET", "/users/{user_id}")
    assert "ada" not in str(vars(record))


async def get(app: FastAPI, path: str) -> httpx.Response:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://publisher") as client:
        return await client.get(path)
