"""Sweeps a database at times of the test's choice."""

import os
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import uuid_utils
from psycopg.rows import DictRow

from postgres.pool import Pool, make_pool
from publisher_api.accept.model import AcceptRequest, AcceptResult
from publisher_api.accept.service import accept
from publisher_api.channels.model import Channel
from publisher_api.configuration import Configuration
from publisher_api.connections import connect
from publisher_api.db.config_cache import ConfigCache
from publisher_api.notifications.model import NotificationDetail
from publisher_api.notifications.request import NotificationRequest
from publisher_api.notifications.service import get_notification
from publisher_api.outbox.shares import Shares
from publisher_api.outbox.sweeper import sweep
from publisher_api.principal import EVERYTHING
from publisher_api.settings import Settings
from shared.envelope import Message
from shared.topology import CHANNEL_TYPES
from tests.publisher.running import notification
from tests.publisher.topic import Inspected, InspectedTable
from transport.port import Topic


def accept_pending(settings: Settings, **fields: object) -> str:
    """Accept a notification like a process that dies before it publishes; returns its id."""
    request = NotificationRequest.model_validate(notification(**fields))
    channels = {name: Channel(slug=name, channel_type=name) for name in CHANNEL_TYPES}
    past = datetime.now(UTC) - timedelta(minutes=1)
    with make_pool(settings.database_url, 1) as pool:
        requests = [AcceptRequest("tests", [request])]
        [answer], _ = accept(
            pool, requests, Configuration(channels, {}, {}), now=past, new_id=lambda: str(uuid_utils.uuid7())
        )
    assert isinstance(answer, AcceptResult)
    notification_id: str = answer.body["notification_id"]
    return notification_id


@dataclass(frozen=True)
class Sweeping:
    """A database, the topic that its deliveries are published to, and a sweep of it.

    ``published`` reads what was published in Postgres.
    """

    pool: Pool
    published: Inspected
    topic: Topic[Message]
    cache: ConfigCache
    shares: Shares

    @classmethod
    @contextmanager
    def of(cls, settings: Settings) -> Iterator["Sweeping"]:
        with closing(connect(settings, os.environ, 2)) as connections:
            connections.pool.open()
            published = InspectedTable(settings.database_url)
            yield cls(connections.pool, published, connections.topic, connections.cache, connections.shares)

    def at(self, now: datetime) -> int:
        """Sweep; returns how many messages were published."""
        return sweep(self.pool, self.topic, self.cache, self.shares, lambda: now)

    def sql(self, statement: str, *parameters: object) -> list[DictRow]:
        with self.pool.connection() as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description is not None else []

    def read(self, notification_id: str) -> NotificationDetail:
        return get_notification(self.pool, uuid.UUID(notification_id), EVERYTHING)
