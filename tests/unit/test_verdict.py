"""What a transport does with a message after its handler returned or raised, and what is logged."""

import logging

import pytest

from shared.errors import CredentialsRefused, Retryable, Undecodable
from shared.log_events import LogEvent
from shared.reasons import Reason
from tests.factories import make_received
from transport import verdict
from transport.port import Received
from transport.verdict import Verdict

RECEIVED = make_received(b"the body", attempt=3, id="m1", subscription="s")


class Handler:
    """Raises ``error``, if there is one."""

    def __init__(self, error: Exception | None = None) -> None:
        self.got: list[Received] = []
        self._error = error

    def __call__(self, received: Received) -> None:
        self.got.append(received)
        if self._error is not None:
            raise self._error


def test_a_message_that_was_handled_is_done_and_logs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    handler = Handler()
    assert verdict.handle(handler, RECEIVED) is Verdict.DONE
    assert (handler.got, caplog.records) == ([RECEIVED], [])


@pytest.mark.parametrize(
    ("error", "expected", "event", "level"),
    [
        (Retryable(Reason.TIMEOUT, "slow"), Verdict.RETRY, LogEvent.MESSAGE_RETRYABLE, logging.WARNING),
        (
            CredentialsRefused(Reason.LEDGER_REFUSED, "no"),
            Verdict.ALERT,
            LogEvent.MESSAGE_CREDENTIALS_REFUSED,
            logging.CRITICAL,
        ),
        (Undecodable("not ours"), Verdict.UNDECODABLE, LogEvent.MESSAGE_UNDECODABLE, logging.ERROR),
    ],
    ids=["retryable", "credentials refused", "undecodable"],
)
def test_each_error_has_its_verdict_and_its_log_record(
    caplog: pytest.LogCaptureFixture, error: Exception, expected: Verdict, event: LogEvent, level: int
) -> None:
    assert verdict.handle(Handler(error), RECEIVED) is expected
    [record] = caplog.records
    fields = vars(record)
    assert (fields["event"], record.levelno) == (event.value, level)
    assert (fields["message_id"], fields["subscription"], fields["attempt"]) == ("m1", "s", 3)
    assert str(error) == fields["error"]
    assert "the body" not in str(fields)


def test_a_bug_of_the_handler_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        verdict.handle(Handler(ZeroDivisionError()), RECEIVED)
