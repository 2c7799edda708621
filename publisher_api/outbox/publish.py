"""Publishes what is in the outbox, and marks it. Rows are marked only after the transport has stored the messages.

So at worst a message is published twice, which the functions' ledger absorbs.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

import psycopg

from postgres.pool import Pool, autocommit
from publisher_api.deliveries.service import record_outcomes
from publisher_api.outbox import command_store, store
from publisher_api.outbox.endings import refused
from shared.envelope import Delivery, Message
from shared.log_events import LogEvent
from shared.logs import EventLogger
from transport.port import PublishError, Topic

CHUNK = 500
_log = EventLogger(__name__)

Clock = Callable[[], datetime]


def publish(pool: Pool, topic: Topic[Message], deliveries: Sequence[Delivery], clock: Clock) -> int:
    """Publish committed deliveries and mark them queued; returns how many the transport stored.

    A delivery whose message the transport refuses ends as failed. Raises ``PublishError`` or ``psycopg.Error``.
    """
    published: set[str] = set()
    for stored in topic.publish(deliveries):
        marked = [message for message in stored if isinstance(message, Delivery)]
        with autocommit(pool) as connection:
            store.mark_queued(connection, marked, clock())
        published |= {message.delivery_id for message in marked}
    unpublished = [message for message in deliveries if message.delivery_id not in published]
    if unpublished:
        record_outcomes(pool, [refused(message, clock()) for message in unpublished])
    return len(published)


def publish_commands(pool: Pool, topic: Topic[Message], clock: Clock) -> int:
    """Publish one chunk of the commands in the outbox; returns how many. Raises as ``publish`` does.

    A command that the transport refuses is removed: it could never be published.
    """
    with pool.connection() as connection:
        command_store.return_due_commands(connection, clock(), CHUNK)
        claimed = command_store.claim_commands(connection, clock(), CHUNK)
    ids = {id(command): command_id for command_id, command in claimed}
    published = 0
    for stored in topic.publish([command for _, command in claimed]):
        with autocommit(pool) as connection:
            command_store.mark_published(connection, [ids.pop(id(command)) for command in stored], clock())
        published += len(stored)
    if ids:
        with autocommit(pool) as connection:
            command_store.remove_commands(connection, list(ids.values()))
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
