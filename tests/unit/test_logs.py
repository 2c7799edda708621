"""What the logs hold of an exception: where it happened and its type, and no text that may quote personal data."""

import io
import json
import logging
import subprocess
import sys
from typing import Any

import pytest

from shared.errors import Undecodable
from shared.log_events import LogEvent
from shared.logs import EventLogger, JsonFormatter

SECRET = "ada@example.com"


def logged(error: BaseException) -> dict[str, Any]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("tests.logs")
    logger.addHandler(handler)
    try:
        raise error
    except type(error):
        EventLogger("tests.logs").exception(LogEvent.OUTBOX_SWEEP_FAILED)
    finally:
        logger.removeHandler(handler)
    record: dict[str, Any] = json.loads(stream.getvalue())
    return record


def test_a_traceback_names_the_place_and_the_type() -> None:
    trace = logged(KeyError("amount"))["stack_trace"]
    assert "test_logs.py" in trace
    assert trace.endswith("builtins.KeyError\n")


def test_a_traceback_has_the_text_of_our_own_errors() -> None:
    assert logged(Undecodable("The envelope has no version."))["stack_trace"].endswith(
        "shared.errors.Undecodable: The envelope has no version.\n"
    )


def chained(*, explicit: bool) -> BaseException:
    try:
        try:
            int(SECRET)
        except ValueError as cause:
            raise RuntimeError(SECRET) from (cause if explicit else None)
    except RuntimeError as error:
        found = error
    return found


@pytest.mark.parametrize(
    "error",
    [
        ValueError(SECRET),
        chained(explicit=True),
        chained(explicit=False),
        ExceptionGroup(SECRET, [ValueError(SECRET)]),
    ],
    ids=["alone", "with a cause", "with a hidden cause", "in a group"],
)
def test_a_traceback_has_no_text_of_other_errors(error: BaseException) -> None:
    record = logged(error)
    assert SECRET not in json.dumps(record)
    assert "ValueError" in record["stack_trace"] or "RuntimeError" in record["stack_trace"]


def test_the_servers_own_log_of_an_exception_has_no_text_of_it_either() -> None:
    """uvicorn configures its loggers before it loads the application, which configures ours."""
    script = f"""
import logging, uvicorn
from shared import logs
uvicorn.Config("app")
logs.configure()
try:
    raise ValueError({SECRET!r})
except ValueError as error:
    logging.getLogger("uvicorn.error").error("Exception in ASGI application\\n", exc_info=error)
"""
    ended = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert "builtins.ValueError" in ended.stdout
    assert SECRET not in ended.stdout + ended.stderr.replace(script, "")
