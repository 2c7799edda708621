"""The changes of one inbox as a stream of events: what both protocols send."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import psycopg

from publisher_api.inbox.model import Asked
from publisher_api.live.events import BEAT, EXPIRED, Event
from publisher_api.live.hub import Hub
from publisher_api.web.inbox_tokens import InboxUser

_RETRY_SECONDS = 1.0


async def changes(hub: Hub, user: InboxUser, tenant: str | None, since: int | None) -> AsyncGenerator[Event]:
    """The changes after version ``since``, of one tenant or of all, as they happen.

    It ends when the token expires, and when the hub ends.

    Starts with a snapshot if ``since`` is None or too long ago. Yields at least one event, unless the hub has ended.
    Before the first event it raises ``psycopg.OperationalError``, and ``Refusal`` if there are too many streams; later
    it waits until Postgres is back.
    """
    loop, started = asyncio.get_running_loop(), False
    beat_at = loop.time()  # a client that is up to date has a beat at once
    with hub.listening(user.user_id, since) as stream:
        while not hub.is_ended:
            if user.until <= datetime.now(UTC):
                yield EXPIRED
                return
            event, pause = None, 0.0
            if stream.must_read:
                stream.must_read = False  # before reading: a change during the read leads to another read
                pause = hub.limits.rest
                try:
                    event = await hub.reads.changes(Asked(user.user_id, stream.version, tenant))
                except psycopg.OperationalError:
                    if not started:
                        raise
                    stream.wake()
                    event, pause = BEAT, _RETRY_SECONDS
            if event is None and loop.time() >= beat_at and not hub.is_ended:
                event = BEAT
            if event is not None:
                if event.version is not None:
                    stream.version = event.version
                yield event
                started, beat_at = True, loop.time() + hub.limits.beat
            if pause:
                await asyncio.sleep(pause)
            remaining = (user.until - datetime.now(UTC)).total_seconds()
            await stream.wait(max(0.0, min(beat_at - loop.time(), remaining)))
