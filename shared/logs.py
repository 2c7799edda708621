"""Structured logs: one JSON object per line, in the fields that Cloud Logging and DigitalOcean both understand.

Every record of our own code carries an ``event`` of ``shared.log_events``; data go into fields.
Message bodies, contents and whole addresses are never logged. A traceback has no text of an exception that is not ours:
it may quote what could not be stored or read.
"""

import logging
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import msgspec

from shared.errors import HeliographError
from shared.log_events import LogEvent

_STANDARD = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {"message", "asctime", "taskName"}
_CALLER = 3  # stack frames between the standard logger and the code that logs


class EventLogger:
    """Logs events with fields: ``_log.warning(LogEvent.OUTBOX_SWEEP_FAILED, error="OperationalError")``."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def info(self, event: LogEvent, **fields: object) -> None:
        self.log(logging.INFO, event, **fields)

    def warning(self, event: LogEvent, **fields: object) -> None:
        self.log(logging.WARNING, event, **fields)

    def error(self, event: LogEvent, **fields: object) -> None:
        self.log(logging.ERROR, event, **fields)

    def exception(self, event: LogEvent, **fields: object) -> None:
        """Log at ERROR with the traceback of the exception that is being handled."""
        self._logger.error(event.description, extra={"event": event.value, **fields}, exc_info=True, stacklevel=2)  # noqa: LOG014 - called in handlers

    def log(self, level: int, event: LogEvent, **fields: object) -> None:
        self._logger.log(level, event.description, extra={"event": event.value, **fields}, stacklevel=_CALLER)


class JsonFormatter(logging.Formatter):
    """``severity``, ``time``, ``logger``, ``message`` and every ``extra`` field; a traceback as ``stack_trace``."""

    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "severity": record.levelname,
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        entry |= {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info:
            entry["stack_trace"] = self.formatException(record.exc_info)
        return msgspec.json.encode(entry, enc_hook=str).decode()

    def formatException(self, exc_info: Any) -> str:  # noqa: N802 - the name of the standard library
        """The frames and types of the exception, and of those that led to it."""
        return "".join(_traced(exc_info[1])) if exc_info[1] is not None else ""


def _traced(error: BaseException) -> Iterator[str]:
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None:
        yield from _traced(earlier)
        yield "\nThen:\n\n"
    yield from traceback.format_tb(error.__traceback__)
    text = f": {error}" if isinstance(error, HeliographError) else ""
    yield f"{type(error).__module__}.{type(error).__qualname__}{text}\n"
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _traced(each)


def configure(level: int = logging.INFO) -> None:
    """Write the records of every logger to standard output as JSON. Safe to call again."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    server = logging.getLogger("uvicorn")  # has a handler of its own, which would write the texts of exceptions
    server.handlers.clear()
    server.propagate = True
    logging.getLogger("httpx").setLevel(logging.WARNING)  # logs whole URLs; a webhook's URL may hold a token
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # logs with tracebacks the errors that it raises as well
