"""Pub/Sub's push: what it POSTs, and what the answer's status code makes it do.

::

    204  done, never again          503  try later          500  try later, and somebody should look
    400  cannot be read; Pub/Sub repeats it until it is moved to the dead-letter topic

Whatever else escapes is a bug: the framework logs its traceback and answers 500.
"""

import logging
from collections.abc import Callable

import msgspec

from functions.runtime.lazy import Lazy
from shared.errors import CredentialsRefused, HeliographError, Retryable, Undecodable

_log = logging.getLogger(__name__)

STATUS_OF_ERROR: dict[type[HeliographError], int] = {Retryable: 503, CredentialsRefused: 500, Undecodable: 400}
_LEVEL_OF_STATUS = {503: logging.WARNING, 500: logging.CRITICAL, 400: logging.ERROR}


class PushedMessage(msgspec.Struct, frozen=True, rename="camel"):
    """The message inside a push; ``data`` travels as base64."""

    data: bytes = b""
    attributes: dict[str, str] = msgspec.field(default_factory=dict)
    message_id: str = ""


class Push(msgspec.Struct, frozen=True, rename="camel"):
    """One push. ``delivery_attempt`` counts from 1, and is there only if the subscription has a dead-letter topic."""

    message: PushedMessage
    delivery_attempt: int | None = None
    subscription: str = ""


Handler = Callable[[Push], None]
_decoder = msgspec.json.Decoder(Push)


def parse(body: bytes) -> Push:
    """The push in a request's ``body``. Raises ``Undecodable``."""
    try:
        return _decoder.decode(body)
    except msgspec.DecodeError as error:
        message = f"This is no push of Pub/Sub: {error}"
        raise Undecodable(message) from None


def respond(body: bytes, handler: Lazy[Handler]) -> tuple[str, int]:
    """Handle the push in ``body``; the empty answer and its status."""
    handle = handler.get()
    try:
        handle(parse(body))
    except tuple(STATUS_OF_ERROR) as error:
        status = STATUS_OF_ERROR[type(error)]
        _log.log(_LEVEL_OF_STATUS[status], "%s: %s", type(error).__name__, error, extra={"status": status})
        return "", status
    return "", 204
