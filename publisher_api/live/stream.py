"""The changes of one inbox as a stream of events: what both protocols send."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import psycopg

from publisher_api.live.hub import Hub
from publisher_api.web.inbox_tokens import InboxUser
from shared.log_events import LogEvent
from shared.logs import EventLogger

_RETRY_SECONDS = 1.0
_log = EventLogger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """``snapshot`` and ``changes`` have a version and data (JSON). ``beat``: nothing changed. ``expired``: the last."""

    name: Literal["snapshot", "changes", "beat", "expired"]
    version: int | None = None
    data: str | None = None


BEAT = Event("beat")
EXPIRED = Event("expired")


async def changes(hub: Hub, user: InboxUser, since: int | None) -> AsyncGenerator[Event]:
    """The changes after version ``since``, as they happen. It ends when the token expires, and when the hub ends.

    Starts with a snapshot if ``since`` is None or too long ago. Yields at least one event, unless the hub has ended.
    Before the first event it raises ``psycopg.OperationalError``, and ``Refusal`` if there are too many streams; later
    it waits until Postgres is back.
    """
    started = False
    with hub.listening(user.user_id) as woken:
        while not hub.is_ended:
            if user.until <= datetime.now(UTC):
                yield EXPIRED
                return
            timed_out = not woken.is_set()
            woken.clear()  # before reading: a change during the read leads to another read
            try:
                update = await hub.read(user.user_id, since)
            except psycopg.OperationalError as error:
                if not started:
                    raise
                _log.warning(LogEvent.INBOX_READ_FAILED, error=type(error).__name__)
                woken.set()
                yield BEAT
                await hub.rest(_RETRY_SECONDS)
                continue
            if update is not None:
                since = update.view.version
                yield Event(update.kind, since, update.view.model_dump_json())
            elif (timed_out or not started) and not hub.is_ended:
                yield BEAT
            started = True
            await hub.rest(hub.limits.rest)
            remaining = (user.until - datetime.now(UTC)).total_seconds()
            await _wait(woken, min(hub.limits.beat, max(remaining, 0.0)))


async def _wait(woken: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await woken.wait()
    except TimeoutError:
        pass
