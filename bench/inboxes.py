"""Users who listen to their inboxes, as web and mobile clients do."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

from google.cloud.firestore import Client, Query

from bench import live_clients
from bench.live_clients import Wire
from functions.google.inbox import inbox_of
from local.config import StackConfig
from publisher_api.inbox.settings import InboxSettings
from publisher_api.web.inbox_tokens import InboxTokens
from shared.profile import Profile

Listening = Callable[[Sequence[str]], AbstractContextManager[dict[str, float]]]
"""Listens to the inbox of each user during the block. Yields when each notification came, in Unix seconds."""

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


def ways(config: StackConfig) -> dict[str, Listening]:
    """The ways in which clients listen in the profile of the stack, by name."""
    if config.profile is Profile.GOOGLE:
        return {"Firestore": partial(listening, Client(project=config.emulators.project))}
    return {wire: partial(_listening_live, config, wire) for wire in Wire}


@contextmanager
def _listening_live(config: StackConfig, wire: Wire, user_ids: Sequence[str]) -> Iterator[dict[str, float]]:
    seen: dict[str, float] = {}
    with live_clients.listening(config.publisher_url, wire, tokens_of(config, user_ids), seen.setdefault):
        yield seen


def tokens_of(config: StackConfig, user_ids: Sequence[str]) -> list[str]:
    """An inbox token for each user."""
    tokens = InboxTokens(InboxSettings(token_secret=config.inbox_token_secret), partial(datetime.now, UTC))
    return [tokens.issue(user_id)[0] for user_id in user_ids]


def wait_for(seen: dict[str, float], ids: Sequence[str], seconds: float) -> list[str]:
    """Wait until all of ``ids`` were seen, at most ``seconds``. Returns those that were."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not all(each in seen for each in ids):
        time.sleep(_POLL_SECONDS)
    return [each for each in ids if each in seen]
