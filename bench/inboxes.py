"""People who listen to their inboxes, as web and mobile clients do."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from google.cloud.firestore import Client, Query

from functions.inapp.inbox import inbox_of

_NEWEST = 5  # Google's client in Python sorts all of them at every change, by far the most of its work
_FIRST_ANSWER_SECONDS = 10.0
_POLL_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Listener:
    """Listens to one inbox's newest entries; ``seen`` holds when (seconds since the epoch) each id first came."""

    client: Client
    person: str
    seen: dict[str, float]
    listening: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def open(self) -> Iterator[None]:
        newest = inbox_of(self.client, self.person).order_by("created_at", direction=Query.DESCENDING).limit(_NEWEST)
        watch = newest.on_snapshot(self._changed)
        try:
            self.listening.wait(_FIRST_ANSWER_SECONDS)
            yield
        finally:
            watch.unsubscribe()  # type: ignore[no-untyped-call]  # published without types

    def _changed(self, _documents: object, changes: Sequence[Any], _read_time: object) -> None:
        now = time.time()
        for change in changes:
            self.seen.setdefault(change.document.id, now)
        self.listening.set()


@contextmanager
def listening(client: Client, people: Sequence[str]) -> Iterator[dict[str, float]]:
    """A listener a person, in all of which the block runs; gives what they have seen, and when."""
    seen: dict[str, float] = {}
    with ExitStack() as listeners:
        for person in people:
            listeners.enter_context(Listener(client, person, seen).open())
        yield seen


def wait_for(seen: dict[str, float], ids: Sequence[str], seconds: float) -> list[str]:
    """Those of ``ids`` that were seen within ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not all(each in seen for each in ids):
        time.sleep(_POLL_SECONDS)
    return [each for each in ids if each in seen]
