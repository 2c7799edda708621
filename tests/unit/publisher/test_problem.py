"""Problems: one status a code, and the shape of RFC 9457."""

from publisher_api.refusal import Refusal, RefusalCode, invalid, not_found
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
    assert retried == {RefusalCode.IN_FLIGHT, RefusalCode.UNAVAILABLE}
