"""Connects the transport of a profile outside of Google Cloud: the one place that chooses it."""

import importlib
from collections.abc import Callable, Mapping
from typing import Protocol, cast

from postgres.pool import Pool
from shared.profile import Profile
from shared.topology import Subscription
from transport.port import Encoded, Epoch, M, Queue, Topic

_MODULES: Mapping[Profile, str] = {
    Profile.POSTGRES: "transport.postgres",
    Profile.REDIS: "transport.redis_streams",
    Profile.RABBITMQ: "transport.rabbitmq",
}


class Transport(Protocol):
    """Topics to publish to, and queues to take from. Safe to share between threads."""

    def topic(self, name: str, encode: Callable[[M], Encoded]) -> Topic[M]:
        """The topic ``name`` of ``shared.topology``."""
        ...

    def queue(self, subscription: Subscription) -> Queue:
        """The messages of ``subscription``."""
        ...

    def epoch(self) -> Epoch | None:
        """The present epoch; None for a transport that loses no message. Raises ``TransportError``."""
        ...

    def close(self) -> None:
        """Close what the topics and queues share. Close them first."""
        ...


def connect_transport(profile: Profile, environ: Mapping[str, str], pool: Pool) -> Transport:
    """The transport of ``profile``. ``pool`` is of the installation's Postgres. Raises ``ConfigurationError``."""
    module = importlib.import_module(_MODULES[profile])
    return cast("Transport", module.connect(environ, pool))
