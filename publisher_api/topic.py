"""The topic ``notifications`` as the publisher sees it: a list of messages goes up in one call.

The batches come from the micro-batcher and the sweep, so the client library's own batching, which takes each message
through a queue, a lock and a future, would only batch a second time (``docs/decisions/0003``).
"""

import contextlib
import logging
import threading
from collections.abc import Iterator, Sequence
from typing import TypeVar

import grpc
from google.api_core.exceptions import GoogleAPIError, InvalidArgument
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.types import PublishRequest, PubsubMessage

from shared.attributes import attributes_of
from shared.envelope import Message, encode
from shared.errors import HeliographError

# Pub/Sub's limits for one publish call are 1,000 messages and 10 MB.
_MAX_MESSAGES = 1000
_MAX_BYTES = 9_000_000
_TIMEOUT_SECONDS = 10.0
_CHECK_SECONDS = 2.0
M = TypeVar("M", bound=Message)
_log = logging.getLogger(__name__)
_RawMessage = PubsubMessage.pb()
_RawRequest = PublishRequest.pb()


class PublishError(HeliographError):
    """Pub/Sub is away, refuses, or did not answer in time; the message names what Google's library raised."""


class Topic:
    """Publishes to one topic. Connects at the first call; safe to share between threads."""

    def __init__(self, path: str, emulator_host: str | None = None, credentials: Credentials | None = None) -> None:
        self._path = path
        self._credentials = credentials
        self._emulator_host = emulator_host
        self._client: PublisherClient | None = None
        self._lock = threading.Lock()

    def publish(self, messages: Sequence[M]) -> Iterator[list[M]]:
        """Publish in as few calls as Pub/Sub allows, and give back what it has after each.

        Raises ``PublishError``: what was not given back by then may or may not have gone out.
        """
        for run in _runs(messages):
            yield from self._publish(run)

    def _publish(self, run: list[tuple[M, PubsubMessage]]) -> Iterator[list[M]]:
        try:
            self._call([raw for _, raw in run], _TIMEOUT_SECONDS)
        except InvalidArgument as error:
            if len(run) == 1:
                _refused(run[0][1], type(error).__name__)
                return
            for one in run:
                yield from self._publish([one])
        else:
            yield [message for message, _ in run]

    def check(self) -> None:
        """Raises ``PublishError`` when Pub/Sub cannot be reached.

        The one right we hold is to publish, so we ask for what it refuses: a call without a message.
        """
        with contextlib.suppress(InvalidArgument):
            self._call([], _CHECK_SECONDS)

    def _call(self, messages: list[PubsubMessage], timeout: float) -> None:
        try:
            self._connected().publish(_RawRequest(topic=self._path, messages=messages), retry=None, timeout=timeout)
        except InvalidArgument:
            raise
        except (GoogleAPIError, GoogleAuthError) as error:
            raise PublishError(type(error).__name__) from error

    def _connected(self) -> PublisherClient:
        with self._lock:
            if self._client is None:
                self._client = _client(self._emulator_host, self._credentials)
            return self._client

    def close(self) -> None:
        if self._client is not None:
            self._client.transport.close()  # type: ignore[no-untyped-call]  # published without types


def _client(emulator_host: str | None, credentials: Credentials | None) -> PublisherClient:
    if emulator_host is None:
        return PublisherClient(credentials=credentials)
    return PublisherClient(transport=PublisherGrpcTransport(channel=grpc.insecure_channel(emulator_host)))


def _refused(message: PubsubMessage, why: str) -> None:
    """Say so; the message stays in the outbox, where it is seen to be neglected, and holds up no other."""
    _log.error("Pub/Sub refuses a message", extra={"attributes": dict(message.attributes), "error": why})


def _runs(messages: Sequence[M]) -> Iterator[list[tuple[M, PubsubMessage]]]:
    run: list[tuple[M, PubsubMessage]] = []
    size = 0
    for message in messages:
        raw = _RawMessage(data=encode(message), attributes=attributes_of(message))
        weight = raw.ByteSize()
        if weight > _MAX_BYTES:
            _refused(raw, "larger than Pub/Sub takes")
            continue
        if run and (len(run) == _MAX_MESSAGES or size + weight > _MAX_BYTES):
            yield run
            run, size = [], 0
        run.append((message, raw))
        size += weight
    if run:
        yield run
