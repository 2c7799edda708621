"""Users who listen to their inboxes, as web and mobile clients do."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from google.cloud.firestore import Client, Query

from functions.google.inbox import inbox_of

_NEWEST = 5  # Google's Python client sorts all of them at every change, which is most of its work
_FIRST_SNAPSHOT_SECONDS = 10.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Listener:
    """Listens to the newest entries of one inbox. ``seen`` is when each id came first, in Unix seconds."""

    client: Client
    user_id: str
    seen: dict[str, float]
    listening: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def open(self) -> Iterator[None]:
        newest = inbox_of(self.client, self.user_id).order_by("created_at", direction=Query.DESCENDING).limit(_NEWEST)
        watch = newest.on_snapshot(self._changed)
        try:
            self.listening.wait(_FIRST_SNAPSHOT_SECONDS)
            yield
        finally:
            watch.unsubscribe()  # type: ignore[no-untyped-call]  # published without types

    def _changed(self, _documents: object, changes: Sequence[Any], _read_time: object) -> None:
        now = time.time()
        for change in changes:
            self.seen.setdefault(change.document.id, now)
        self.listening.set()


@contextmanager
def listening(client: Client, user_ids: Sequence[str]) -> Iterator[dict[str, float]]:
    """Listen to the inbox of each user during the block. Yields when each id came, in Unix seconds."""
    seen: dict[str, float] = {}
    with ExitStack() as listeners:
        for user_id in user_ids:
            listeners.enter_context(Listener(client, user_id, seen).open())
        yield seen


def wait_for(seen: dict[str, float], ids: Sequence[str], seconds: float) -> list[str]:
    """Wait until all of ``ids`` were seen, at most ``seconds``. Returns those that were."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not all(each in seen for each in ids):
        time.sleep(_POLL_SECONDS)
    return [each for each in ids if each in seen]
