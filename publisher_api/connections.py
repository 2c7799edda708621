"""What every process of the publisher connects to: Postgres, the topic, and the cached configuration."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from publisher_api.db.config_cache import ConfigCache
from publisher_api.db.pool import Pool, make_pool
from publisher_api.settings import Settings
from publisher_api.topic import notifications_topic
from shared.envelope import Message
from transport.port import Topic


@dataclass(frozen=True, slots=True)
class Connections:
    """A pool that is not open yet, a topic that connects at its first call, and the configuration read by the pool."""

    pool: Pool
    topic: Topic[Message]
    cache: ConfigCache

    def close(self) -> None:
        self.topic.close()
        self.pool.close()


def connect(
    settings: Settings, environ: Mapping[str, str], pool_size: int, *, behind_pooler: bool = False
) -> Connections:
    """The connections of one process. Waits for nothing. Raises ``ConfigurationError``."""
    topic = notifications_topic(settings, environ)
    pool = make_pool(settings.database_url, pool_size, behind_pooler=behind_pooler)
    return Connections(pool, topic, ConfigCache(pool))


def now() -> datetime:
    """The clock of every process."""
    return datetime.now(UTC)
