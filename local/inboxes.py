"""Watches a user's inbox, as a client of the running stack does."""

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from typing import Any, Protocol

import psycopg
from google.cloud.firestore import Client

from local.config import StackConfig
from shared.profile import Profile

_READY_SECONDS = 30.0
_LISTENED_DOCUMENTS = 20


class InboxWatcher(Protocol):
    """``seen_at`` is when the notification was seen in the inbox; None until then."""

    def seen_at(self, notification_id: str) -> datetime | None: ...


def watching(config: StackConfig, user_id: str) -> AbstractContextManager[InboxWatcher]:
    """Watch the inbox of ``user_id`` during the block."""
    return _listening(config, user_id) if config.profile is Profile.GOOGLE else _reading(config, user_id)


class _FirestoreListener:
    """Listens to the inbox in Firestore, as a web page does."""

    def __init__(self) -> None:
        self._seen: dict[str, datetime] = {}
        self.listening = threading.Event()

    def seen_at(self, notification_id: str) -> datetime | None:
        return self._seen.get(notification_id)

    def changed(self, documents: list[Any], _changes: object, _read_time: object) -> None:
        now = datetime.now(UTC)
        for document in documents:
            self._seen.setdefault(document.id, now)
        self.listening.set()


@contextmanager
def _listening(config: StackConfig, user_id: str) -> Iterator[InboxWatcher]:
    """The block begins when Firestore has sent the first snapshot."""
    os.environ.update(config.emulators.environment)
    inbox = Client(project=config.emulators.project).collection("users").document(user_id).collection("inbox")
    newest = inbox.order_by("created_at", direction="DESCENDING").limit(_LISTENED_DOCUMENTS)
    listener = _FirestoreListener()
    watch = newest.on_snapshot(listener.changed)
    try:
        listener.listening.wait(_READY_SECONDS)
        yield listener
    finally:
        watch.unsubscribe()


class _RowReader:
    """Looks for the row of the inbox whenever it is asked."""

    def __init__(self, connection: psycopg.Connection, user_id: str) -> None:
        self._connection = connection
        self._user_id = user_id
        self._seen: dict[str, datetime] = {}

    def seen_at(self, notification_id: str) -> datetime | None:
        if notification_id not in self._seen:
            found = self._connection.execute(
                "select from state.inbox where user_id = %s and notification_id = %s", [self._user_id, notification_id]
            )
            if found.fetchone() is not None:
                self._seen[notification_id] = datetime.now(UTC)
        return self._seen.get(notification_id)


@contextmanager
def _reading(config: StackConfig, user_id: str) -> Iterator[InboxWatcher]:
    with psycopg.connect(config.database_url, autocommit=True) as connection:
        yield _RowReader(connection, user_id)
