"""The backend in a DigitalOcean Function: no thread works between two requests, so each request publishes."""

from collections.abc import Callable
from datetime import datetime

from fastapi.concurrency import run_in_threadpool

from postgres.pool import Pool
from publisher_api.accept.model import AcceptRequest, AcceptResult
from publisher_api.accept.service import accept
from publisher_api.db.config_cache import ConfigCache
from publisher_api.deliveries.service import record_outcomes
from publisher_api.outbox.publish import try_publish, try_publish_commands
from publisher_api.outbox.shares import Shares
from publisher_api.refusal import Refusal
from shared.envelope import Message
from shared.outcomes import Outcome
from transport.port import Topic


class ServerlessBackend:
    """Handles one request at a time, and publishes before it is answered.

    What cannot be published stays in the outbox for the scheduled sweep; the request is accepted all the same.
    """

    def __init__(
        self,
        pool: Pool,
        topic: Topic[Message],
        cache: ConfigCache,
        shares: Shares,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        self._pool = pool
        self._topic = topic
        self._cache = cache
        self._shares = shares
        self._clock = clock
        self._new_id = new_id
        pool.open()  # there is no start: DigitalOcean calls the function with its first event

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    async def accept(self, request: AcceptRequest) -> AcceptResult | Refusal:
        return await run_in_threadpool(self._accept, request)

    async def accept_batch(self, parse: Callable[[], AcceptRequest], producer: str) -> AcceptResult | Refusal:  # noqa: ARG002 - handles one at a time
        return await run_in_threadpool(lambda: self._accept(parse()))

    async def record(self, outcome: Outcome) -> None:
        await run_in_threadpool(record_outcomes, self._pool, [outcome])

    def command_added(self) -> None:
        try_publish_commands(self._pool, self._topic, self._clock)

    def _accept(self, request: AcceptRequest) -> AcceptResult | Refusal:
        configuration = self._cache.current()
        now = self._clock()
        [answer], outgoing = accept(self._pool, [request], configuration, now=now, new_id=self._new_id)
        messages = [self._shares.laned(each, now) for each in outgoing]
        try_publish(self._pool, self._topic, messages, self._clock)
        return answer
