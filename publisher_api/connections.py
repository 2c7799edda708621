"""What every process of the publisher connects to: Postgres, the transport, and the cached configuration.

The one place of the publisher that chooses a transport.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import uuid_utils

from postgres.pool import Pool, make_pool
from publisher_api.db.config_cache import ConfigCache
from publisher_api.outbox.laned_topic import LanedTopic
from publisher_api.outbox.message import encode
from publisher_api.outbox.shares import Shares
from publisher_api.settings import Settings
from shared.envelope import Message
from shared.lanes import Lane, topic_of
from shared.topology import NOTIFICATIONS_TOPIC
from transport.connect import Transport, connect_transport
from transport.port import Epoch, Topic


@dataclass(frozen=True, slots=True)
class Connections:
    """A pool that is not open yet, a topic that connects at its first call, and the configuration read by the pool.

    ``transport`` is None in the google profile, where Pub/Sub pushes the outcomes. ``shares`` are what each
    producer may publish in which lane.
    """

    pool: Pool
    topic: Topic[Message]
    cache: ConfigCache
    transport: Transport | None
    shares: Shares = field(default_factory=Shares)

    def epoch(self) -> Epoch | None:
        """The epoch of the transport; None where no message is lost. Raises ``TransportError``."""
        return None if self.transport is None else self.transport.epoch()

    def close(self) -> None:
        self.topic.close()
        if self.transport is not None:
            self.transport.close()
        self.pool.close()


def connect(
    settings: Settings, environ: Mapping[str, str], pool_size: int, *, behind_pooler: bool = False
) -> Connections:
    """The connections of one process. Waits for nothing. Raises ``ConfigurationError``."""
    pool = make_pool(settings.database_url, pool_size, behind_pooler=behind_pooler)
    topics: dict[Lane, Topic[Message]] = {}
    if settings.google is not None:
        from publisher_api.google_topic import notifications_topics  # noqa: PLC0415 - only this profile installs Pub/Sub

        transport = None
        topics.update(notifications_topics(settings.google, environ))
    else:
        transport = connect_transport(settings.profile, environ, pool)
        topics.update({lane: transport.topic(topic_of(NOTIFICATIONS_TOPIC, lane), encode) for lane in Lane})
    return Connections(pool, LanedTopic(topics), ConfigCache(pool), transport)


def now() -> datetime:
    """The clock of every process."""
    return datetime.now(UTC)


def new_id() -> str:
    """A UUID of version 7, which sorts by time."""
    return str(uuid_utils.uuid7())
