"""The connection to a Redis server: its client, what is demanded of it, and its errors as the transport's."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from uuid import uuid4

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    NoPermissionError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as Disconnected
from redis.retry import Retry

from shared.errors import ConfigurationError
from shared.log_events import LogEvent
from shared.logs import EventLogger
from transport.port import Epoch, PublishError, PublishRefused, TransportError
from transport.redis_durability import URL, ConfigForbidden, accepts_loss, demand_durability
from transport.redis_layout import EPOCH, Fields, Shard

_CONNECT_SECONDS = 2.0
_ANSWER_SECONDS = 5.0  # longer than any command waits
_HEALTH_CHECK_SECONDS = 15
_OLDEST_VERSION = 7
_REPLICAS_KNOWN_SECONDS = 10.0
_REPLICA_MS = 100
_SCHEMES = ("redis://", "rediss://")
_log = EventLogger(__name__)


class RedisServer:
    """A server that keeps what it stores, or one whose losses the operator accepts. Safe to share between threads."""

    def __init__(self, client: Redis, *, loss_accepted: bool) -> None:
        self._client = client
        self._loss_accepted = loss_accepted
        self._examined = False
        self._has_replicas = False
        self._replicas_known_until = 0.0
        self._lock = threading.Lock()

    @contextmanager
    def connected(self, kind: type[TransportError]) -> Iterator[Redis]:
        """The client, for a block in which the errors of Redis become ``kind``.

        The first block examines the server, which may not have been reachable at the start.
        """
        with _errors(kind):
            try:
                self.examine()
            except ConfigurationError as error:
                raise kind(str(error)) from error
            yield self._client

    def examine(self) -> None:
        """Examine the server once. Raises ``ConfigurationError`` or ``RedisError``."""
        with self._lock:
            if self._examined:
                return
            version = str(self._client.info("server")["redis_version"])
            if int(version.partition(".")[0]) < _OLDEST_VERSION:
                message = f"The server of {URL} is Redis {version}. Use Redis {_OLDEST_VERSION} or newer, or Valkey."
                raise ConfigurationError(message)
            demand_durability(self._setting, loss_accepted=self._loss_accepted)
            self._examined = True

    def add(self, client: Redis, entries: Sequence[tuple[Shard, Fields]]) -> None:
        """Add entries to streams in one round trip; wait for a replica, if there is one.

        A replica that is too slow is only logged: publishing again would make it slower.
        """
        if not entries:
            return
        with client.pipeline(transaction=False) as pipeline:
            for shard, fields in entries:
                pipeline.xadd(shard.messages, fields)
            waits = self._replicated(client)
            if waits:
                pipeline.wait(1, _REPLICA_MS)
            results = pipeline.execute()
        if waits and not results[-1]:
            _log.warning(LogEvent.TRANSPORT_REPLICA_SLOW, messages=len(entries), milliseconds=_REPLICA_MS)

    def epoch(self) -> Epoch:
        """A key that is lost with everything else, and the server's own name for its process.

        A process that was killed, or replaced by its replica, may have lost the last seconds, and keeps the key.
        """
        with self.connected(TransportError) as client, client.pipeline(transaction=False) as pipeline:
            pipeline.set(EPOCH, uuid4().hex, nx=True)
            pipeline.get(EPOCH)
            pipeline.info("server")
            _, key, info = pipeline.execute()
        return Epoch(key.decode(), info["run_id"])

    def close(self) -> None:
        self._client.close()

    def _setting(self, name: str) -> str:
        try:
            return str(self._client.config_get(name)[name])
        except (NoPermissionError, ResponseError) as error:  # a managed server knows no CONFIG at all
            raise ConfigForbidden from error

    def _replicated(self, client: Redis) -> bool:
        """Whether a replica is connected, as of a few seconds ago. WAIT without one would wait in vain."""
        now = time.monotonic()
        if now >= self._replicas_known_until:
            info = client.info("replication")
            replicas = (info[f"slave{number}"] for number in range(info["connected_slaves"]))
            self._has_replicas = any(replica["state"] == "online" for replica in replicas)
            self._replicas_known_until = now + _REPLICAS_KNOWN_SECONDS
        return self._has_replicas


def connect_server(environ: Mapping[str, str]) -> RedisServer:
    """The server of REDIS_URL. Raises ``ConfigurationError`` for a server that may lose messages.

    A server that cannot be reached now is examined when it is used first.
    """
    url = environ.get(URL, "")
    if not url:
        raise ConfigurationError.missing([URL])
    if not url.startswith(_SCHEMES):
        message = f"{URL} must begin with {' or '.join(_SCHEMES)}. Example: {URL}=rediss://user:password@host:6379/0"
        raise ConfigurationError(message)
    try:
        server = RedisServer(_client(url), loss_accepted=accepts_loss(environ))
    except ValueError as error:
        message = f"{URL} cannot be read: {error}."
        raise ConfigurationError(message) from error
    try:
        server.examine()
    except RedisError as error:
        _log.warning(LogEvent.TRANSPORT_UNREACHABLE, error=type(error).__name__)
    return server


def _client(url: str) -> Redis:
    return Redis.from_url(
        url,
        protocol=2,  # the shape of every answer depends on it
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=_ANSWER_SECONDS,
        health_check_interval=_HEALTH_CHECK_SECONDS,
        # A connection that the server closed. After a timeout nothing is repeated: the caller would wait again.
        retry=Retry(NoBackoff(), 1, supported_errors=(Disconnected,)),
    )


@contextmanager
def _errors(kind: type[TransportError]) -> Iterator[None]:
    """Turn the errors of Redis into ``kind``."""
    try:
        yield
    except (AuthenticationError, AuthorizationError, NoPermissionError) as error:
        refused = PublishRefused if kind is PublishError else kind
        raise refused(type(error).__name__) from error
    except RedisError as error:
        raise kind(type(error).__name__) from error
