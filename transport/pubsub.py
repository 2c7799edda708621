"""Google Pub/Sub as a topic: a list of messages is published in one call.

Callers publish whole batches, so the client library's own batching, which passes each message through a queue, a lock
and a future, would only add work (``docs/decisions/0003``).
"""

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Generic

import grpc
from google.api_core.exceptions import (
    Aborted,
    Forbidden,
    GoogleAPIError,
    InvalidArgument,
    ServiceUnavailable,
    Unauthorized,
)
from google.api_core.retry import Retry
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError, TransportError
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.types import PublishRequest, PubsubMessage

from shared.batches import batches
from shared.log_events import LogEvent
from shared.logs import EventLogger
from transport.port import Encoded, M, PublishError, PublishRefused

# Pub/Sub accepts 1,000 messages and 10 MB in one publish call.
_MAX_MESSAGES = 1000
_MAX_BYTES = 9_000_000
_TIMEOUT_SECONDS = 10.0
_CHECK_SECONDS = 2.0
# A connection that was closed, or a server that was replaced. The next call usually succeeds.
_PASSING = (ServiceUnavailable, Aborted)
_log = EventLogger(__name__)
_RawMessage = PubsubMessage.pb()
_RawRequest = PublishRequest.pb()


def topic_path(project: str, topic: str) -> str:
    """The full name of a topic, from its short name."""
    return f"projects/{project}/topics/{topic}"


def refuses_credentials(error: Exception) -> bool:
    """Whether an error of Google's clients means that our credentials are wrong, and not that Google is unavailable."""
    if isinstance(error, GoogleAuthError):
        return not (error.retryable or isinstance(error, TransportError))
    return isinstance(error, Unauthorized | Forbidden)


class PubSubTopic(Generic[M]):
    """One topic. Connects at the first call; safe to share between threads.

    ``timeout_seconds`` limits each call. ``retry`` is Google's retry policy for it. Without one, a call that failed for
    a passing reason is repeated once, at once: a policy would hold up everything behind it.
    """

    def __init__(
        self,
        path: str,
        encode: Callable[[M], Encoded],
        *,
        emulator_host: str | None = None,
        credentials: Credentials | None = None,
        timeout_seconds: float = _TIMEOUT_SECONDS,
        retry: Retry | None = None,
    ) -> None:
        self._path = path
        self._encode = encode
        self._emulator_host = emulator_host
        self._credentials = credentials
        self._timeout_seconds = timeout_seconds
        self._retry = retry
        self._client: PublisherClient | None = None
        self._has_stored = False
        self._lock = threading.Lock()

    def publish(self, messages: Sequence[M]) -> Iterator[list[M]]:
        """Publish in as few calls as Pub/Sub allows; yield after each call what Pub/Sub has stored.

        A message that Pub/Sub does not accept is logged and never yielded. Raises ``PublishError``: messages not
        yielded by then may or may not have been published. While Pub/Sub has stored no message of ours at all, the
        fault may be the topic's and not the messages', so refusals raise too.
        """
        refused: list[PubsubMessage] = []
        for batch in self._batches(messages):
            yield from self._publish(batch, refused)
        if refused and not self._has_stored:
            raise PublishError(InvalidArgument.__name__)
        for message in refused:
            _log_refused(message, InvalidArgument.__name__)

    def check(self) -> None:
        """Raises ``PublishError`` when Pub/Sub cannot be reached.

        Our only permission is to publish, so this publishes no message at all, which Pub/Sub refuses as invalid.
        """
        with contextlib.suppress(InvalidArgument):
            self._call([], _CHECK_SECONDS)

    def close(self) -> None:
        if self._client is not None:
            self._client.transport.close()  # type: ignore[no-untyped-call]  # published without types

    def _publish(self, batch: list[tuple[M, PubsubMessage]], refused: list[PubsubMessage]) -> Iterator[list[M]]:
        try:
            self._call([raw for _, raw in batch], self._timeout_seconds)
        except InvalidArgument:
            if len(batch) == 1:
                refused.append(batch[0][1])
                return
            # Finds the refused messages in few calls: most batches hold one.
            middle = len(batch) // 2
            yield from self._publish(batch[:middle], refused)
            yield from self._publish(batch[middle:], refused)
        else:
            self._has_stored = True
            yield [message for message, _ in batch]

    def _call(self, messages: list[PubsubMessage], timeout: float) -> None:
        request = _RawRequest(topic=self._path, messages=messages)
        try:
            self._publish_request(request, timeout)
        except InvalidArgument:
            raise
        except (GoogleAPIError, GoogleAuthError) as error:
            kind = PublishRefused if refuses_credentials(error) else PublishError
            raise kind(type(error).__name__) from error

    def _publish_request(self, request: PublishRequest, timeout: float) -> None:
        publish = partial(self._connected().publish, request, retry=self._retry, timeout=timeout)
        try:
            publish()
        except _PASSING:
            if self._retry is not None:
                raise
            publish()

    def _connected(self) -> PublisherClient:
        with self._lock:
            if self._client is None:
                self._client = _client(self._emulator_host, self._credentials)
            return self._client

    def _batches(self, messages: Sequence[M]) -> Iterator[list[tuple[M, PubsubMessage]]]:
        return batches(self._raw(messages), _size_of, max_size=_MAX_BYTES, max_items=_MAX_MESSAGES)

    def _raw(self, messages: Sequence[M]) -> Iterator[tuple[M, PubsubMessage]]:
        """The messages as Pub/Sub takes them, without those that are too large for it."""
        for message in messages:
            data, attributes = self._encode(message)
            raw = _RawMessage(data=data, attributes=attributes)
            if raw.ByteSize() > _MAX_BYTES:
                _log_refused(raw, "larger than Pub/Sub accepts")
            else:
                yield message, raw


def _size_of(message: tuple[object, PubsubMessage]) -> int:
    size: int = message[1].ByteSize()
    return size


def _client(emulator_host: str | None, credentials: Credentials | None) -> PublisherClient:
    if emulator_host is None:
        return PublisherClient(credentials=credentials)
    return PublisherClient(transport=PublisherGrpcTransport(channel=grpc.insecure_channel(emulator_host)))


def _log_refused(message: PubsubMessage, error: str) -> None:
    _log.error(LogEvent.TRANSPORT_MESSAGE_REFUSED, attributes=dict(message.attributes), error=error)
