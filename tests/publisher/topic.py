"""Reads what the publisher has published."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable

import psycopg

from shared.envelope import Command, Delivery, Message, decode
from shared.lanes import Lane, topic_of
from shared.topology import NOTIFICATIONS_TOPIC, subscriptions

TIMEOUT_SECONDS = 20.0
_TOPICS = {topic_of(NOTIFICATIONS_TOPIC, lane) for lane in Lane}
_SUBSCRIPTIONS = [each.name for each in subscriptions() if each.topic in _TOPICS]


def waiting_for(condition: Callable[[], object], what: str) -> None:
    """Return when ``condition`` holds; fail with ``what`` if it does not in time."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            message = f"waited {TIMEOUT_SECONDS} s for {what}"
            raise AssertionError(message)
        time.sleep(0.02)


class Inspected(ABC):
    """The topic of deliveries and commands, with everything that was ever published to it."""

    def deliveries(self, notification_id: str, count: int = 1) -> list[Delivery]:
        """The messages of a notification, as soon as there are ``count``."""

        def found() -> list[Delivery]:
            messages = self.messages(notification_id)
            return [m for m in messages if isinstance(m, Delivery) and m.notification_id == notification_id]

        waiting_for(lambda: len(found()) >= count, f"{count} messages of {notification_id}")
        return found()

    def commands(self, user_id: str | None, count: int = 1) -> list[Command]:
        """The commands about a person, as soon as there are ``count``."""

        def found() -> list[Command]:
            return [m for m in self.messages() if isinstance(m, Command) and m.user_id == user_id]

        waiting_for(lambda: len(found()) >= count, f"{count} commands about {user_id}")
        return found()

    @abstractmethod
    def messages(self, notification_id: str | None = None) -> list[Message]:
        """At least the messages of this notification, or at least every command."""


class InspectedTable(Inspected):
    """The topic in Postgres. No worker runs here, so every message stays in the queue of its channel type."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url

    def messages(self, notification_id: str | None = None) -> list[Message]:
        with psycopg.connect(self._database_url) as connection:
            rows = connection.execute(
                """
                select data from transport.messages
                 where subscription = any(%s) and attributes ->> 'notification_id' is not distinct from %s
                 order by message_id
                """,
                [_SUBSCRIPTIONS, notification_id],
            )
            return [decode(data) for (data,) in rows]
