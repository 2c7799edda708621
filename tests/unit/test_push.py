"""Pub/Sub's push requests and the status codes: the only place where the functions know HTTP."""

import logging

import pytest

from functions.google.push import respond
from functions.runtime.lazy import Lazy
from shared.errors import CredentialsRefused, Retryable, Undecodable
from shared.reasons import Reason
from tests.factories import make_delivery, make_push
from transport.port import Handler, Received

DELIVERY = make_delivery()


def status_of(handler: Handler, body: bytes | None = None) -> int:
    text, status = respond(make_push(DELIVERY) if body is None else body, Lazy(lambda: handler))
    assert text == ""
    return status


def raising(error: Exception) -> Handler:
    def handler(_received: Received) -> None:
        raise error

    return handler


@pytest.mark.parametrize(
    ("error", "status", "event", "level"),
    [
        (Retryable(Reason.RATE_LIMITED), 503, "message.retryable", logging.WARNING),
        (
            CredentialsRefused(Reason.CREDENTIALS_REFUSED),
            500,
            "message.credentials_refused",
            logging.CRITICAL,
        ),
        (Undecodable("Envelope version 9 is unknown."), 400, "message.undecodable", logging.ERROR),
    ],
)
def test_each_verdict_has_its_status_and_log_event(
    error: Exception, status: int, event: str, level: int, caplog: pytest.LogCaptureFixture
) -> None:
    assert status_of(raising(error)) == status
    (record,) = caplog.records
    logged = vars(record)
    assert (logged["event"], record.levelno, logged["error"]) == (event, level, str(error))
    assert (logged["message_id"], logged["subscription"], logged["attempt"]) == ("1", "projects/p/subscriptions/s", 1)


def test_handled_message_is_acknowledged() -> None:
    assert status_of(lambda _: None) == 204


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"message": {"data": "not base64!"}}'])
def test_request_that_is_no_push_is_refused(body: bytes) -> None:
    assert status_of(raising(AssertionError("the handler was called")), body) == 400


def test_bug_is_raised_for_the_framework_to_log() -> None:
    with pytest.raises(ZeroDivisionError):
        status_of(raising(ZeroDivisionError("a bug")))


@pytest.mark.parametrize(("count", "dead_after"), [("60", 60), ("", None), ("many", None)])
def test_handler_receives_the_message_without_pubsubs_names(count: str, dead_after: int | None) -> None:
    got: list[Received] = []
    attributes = {"channel": "email", "CloudPubSubDeadLetterSourceDeliveryCount": count}
    assert status_of(got.append, make_push(b"body", 3, attributes)) == 204
    assert got == [
        Received(
            data=b"body",
            attributes=attributes,
            attempt=3,
            id="1",
            subscription="projects/p/subscriptions/s",
            dead_after=dead_after,
        )
    ]


def test_subscription_without_dead_letter_topic_counts_no_attempts() -> None:
    got: list[Received] = []
    status_of(got.append, make_push(DELIVERY, None))
    assert [received.attempt for received in got] == [None]
