"""The topic ``notifications`` as the publisher sees it: a list of messages goes up in one call, or fails as one.

The batches come from the micro-batcher and the sweep, so the client library's own batching, which takes each message
through a queue, a lock and a future, would only batch a second time (``docs/decisions/0003``).
"""

import threading
from collections.abc import Iterator, Sequence

import grpc
from google.api_core.exceptions import GoogleAPIError, InvalidArgument
from google.auth.credentials import Credentials
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.types import PublishRequest, PubsubMessage

from shared.attributes import attributes_of
from shared.envelope import Message, encode

# Pub/Sub's limits for one publish call are 1,000 messages and 10 MB.
_MAX_MESSAGES = 1000
_MAX_BYTES = 9_000_000
_TIMEOUT_SECONDS = 10.0
_RawMessage = PubsubMessage.pb()
_RawRequest = PublishRequest.pb()

PublishError = GoogleAPIError
"""What ``publish`` raises: Pub/Sub is away, refuses, or did not answer in time."""


class Topic:
    """Publishes to one topic. Connects at the first call; safe to share between threads."""

    def __init__(self, path: str, emulator_host: str | None = None, credentials: Credentials | None = None) -> None:
        self._path = path
        self._credentials = credentials
        self._emulator_host = emulator_host
        self._client: PublisherClient | None = None
        self._lock = threading.Lock()

    def publish(self, messages: Sequence[Message]) -> None:
        """Returns when Pub/Sub has all of them. Raises ``PublishError``: then any number may have gone out."""
        for chunk in _chunks(messages):
            self._connected().publish(
                _RawRequest(topic=self._path, messages=chunk), retry=None, timeout=_TIMEOUT_SECONDS
            )

    def check(self) -> None:
        """Raises ``PublishError`` when Pub/Sub cannot be reached.

        The one right we hold is to publish, so we ask for what it refuses: a call without a message.
        """
        try:
            self._connected().publish(_RawRequest(topic=self._path), retry=None, timeout=2.0)
        except InvalidArgument:
            return

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


def _chunks(messages: Sequence[Message]) -> Iterator[list[PubsubMessage]]:
    chunk: list[PubsubMessage] = []
    size = 0
    for message in messages:
        raw = _RawMessage(data=encode(message), attributes=attributes_of(message))
        weight = raw.ByteSize()
        if chunk and (len(chunk) == _MAX_MESSAGES or size + weight > _MAX_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(raw)
        size += weight
    if chunk:
        yield chunk
