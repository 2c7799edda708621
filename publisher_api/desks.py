"""The two ways of working at the desk: batches beside a running container, or one request at a time in a function."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

import psycopg
from fastapi.concurrency import run_in_threadpool

from publisher_api.accept.accept import Answer, Submission, accept
from publisher_api.accept.batch import MicroBatcher
from publisher_api.accept.relay import Relay, Sweeper, publish_commands, publish_now
from publisher_api.errors import Problem
from publisher_api.store import outcomes
from publisher_api.store.catalog import Catalog, CatalogListener
from publisher_api.store.pool import Pool, statements
from publisher_api.topic import PublishError, Topic
from shared.outcomes import Outcome

_log = logging.getLogger(__name__)
Clock = Callable[[], datetime]
NewId = Callable[[], str]


class ContainerDesk:
    """Gathers what waits, relays in the background, sweeps every second, listens for changes to the catalog."""

    def __init__(
        self, pool: Pool, topic: Topic, catalog: Catalog, database_url: str, clock: Clock, new_id: NewId
    ) -> None:
        self._pool = pool
        self._catalog = catalog
        self._clock = clock
        self._new_id = new_id
        self._relay = Relay(pool, topic, clock)
        self._sweeper = Sweeper(pool, topic, catalog, clock)
        self._listener = CatalogListener(database_url, catalog)
        self._accepting = MicroBatcher[Submission, Answer | Problem](self._accept, "accept")
        self._recording = MicroBatcher[Outcome, None](self._record, "record")

    def start(self) -> None:
        self._listener.start()
        self._accepting.start()
        self._recording.start()
        self._relay.start()
        self._sweeper.start()

    def stop(self) -> None:
        """Finish what was begun; what is left is in the outbox."""
        self._accepting.stop()
        self._recording.stop()
        self._sweeper.stop()
        self._relay.stop()
        self._listener.stop()

    async def accept(self, submission: Submission) -> Answer | Problem:
        if submission.batch:  # large enough to be a batch of its own
            return (await run_in_threadpool(self._accept, [submission]))[0]
        return await self._accepting.submit(submission)

    async def record(self, outcome: Outcome) -> None:
        await self._recording.submit(outcome)

    def commands_waiting(self) -> None:
        self._sweeper.soon()

    def _accept(self, submissions: Sequence[Submission]) -> list[Answer | Problem]:
        answers, messages = accept(
            self._pool,
            submissions,
            self._catalog.current(),
            now=self._clock(),
            new_id=self._new_id,
        )
        self._relay.publish_soon(messages)
        return answers

    def _record(self, reported: Sequence[Outcome]) -> list[None]:
        with statements(self._pool) as connection:
            outcomes.record(connection, reported)
        return [None] * len(reported)


class FunctionDesk:
    """Nothing goes on between two calls of a DigitalOcean Function, so a request publishes before it is answered.

    What cannot be published stays in the outbox for the scheduled sweep; the request is accepted all the same.
    """

    def __init__(self, pool: Pool, topic: Topic, catalog: Catalog, clock: Clock, new_id: NewId) -> None:
        self._pool = pool
        self._topic = topic
        self._catalog = catalog
        self._clock = clock
        self._new_id = new_id

    async def accept(self, submission: Submission) -> Answer | Problem:
        return await run_in_threadpool(self._accept, submission)

    def _accept(self, submission: Submission) -> Answer | Problem:
        answers, messages = accept(
            self._pool,
            [submission],
            self._catalog.current(),
            now=self._clock(),
            new_id=self._new_id,
        )
        publish_now(self._pool, self._topic, messages, self._clock)
        return answers[0]

    async def record(self, outcome: Outcome) -> None:
        await run_in_threadpool(self._record, outcome)

    def _record(self, outcome: Outcome) -> None:
        with statements(self._pool) as connection:
            outcomes.record(connection, [outcome])

    def commands_waiting(self) -> None:
        try:
            publish_commands(self._pool, self._topic, self._clock)
        except (PublishError, psycopg.Error) as error:
            _log.warning("could not publish; the sweep will", extra={"error": type(error).__name__})
