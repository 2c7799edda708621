"""Publishes what is in the outbox, and marks it. Rows are marked only after the transport has stored the messages.

So at worst a message is published twice, which the functions' ledger absorbs.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import psycopg

from publisher_api.db.pool import Pool, autocommit
from publisher_api.outbox import store
from shared.envelope import Delivery, Message
from shared.log_events import LogEvent
from shared.logs import EventLogger
from transport.port import PublishError, Topic

CHUNK = 500
_log = EventLogger(__name__)

Clock = Callable[[], datetime]


def publish(pool: Pool, topic: Topic[Message], deliveries: Sequence[Delivery], clock: Clock) -> int:
    """Publish committed deliveries and mark them queued; returns how many the transport stored.

    Raises ``PublishError`` or ``psycopg.Error``.
    """
    published = 0
    for stored in topic.publish(deliveries):
        with autocommit(pool) as connection:
            store.mark_queued(connection, [message for message in stored if isinstance(message, Delivery)], clock())
        published += len(stored)
    return published


def publish_commands(pool: Pool, topic: Topic[Message], clock: Clock) -> int:
    """Publish one chunk of the commands in the outbox; returns how many. Raises as ``publish`` does."""
    with pool.connection() as connection:
        claimed = store.claim_commands(connection, clock(), CHUNK)
    ids = {id(command): command_id for command_id, command in claimed}
    published = 0
    for stored in topic.publish([command for _, command in claimed]):
        with autocommit(pool) as connection:
            store.remove_commands(connection, [ids[id(command)] for command in stored])
        published += len(stored)
    return published


def try_publish(pool: Pool, topic: Topic[Message], deliveries: Sequence[Delivery], clock: Clock) -> None:
    """Publish committed deliveries. What cannot be published is logged and stays in the outbox."""
    try:
        publish(pool, topic, deliveries, clock)
    except (PublishError, psycopg.Error) as error:
        _log.warning(LogEvent.OUTBOX_PUBLISH_FAILED, deliveries=len(deliveries), error=type(error).__name__)


def try_publish_commands(pool: Pool, topic: Topic[Message], clock: Clock) -> None:
    """Publish one chunk of commands. What cannot be published is logged and stays in the outbox."""
    try:
        publish_commands(pool, topic, clock)
    except (PublishError, psycopg.Error) as error:
        _log.warning(LogEvent.OUTBOX_PUBLISH_FAILED, error=type(error).__name__)
