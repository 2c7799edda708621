"""The backend in a container: batches requests, relays in the background, and sweeps every second."""

from collections.abc import Callable, Sequence
from datetime import datetime

from postgres.pool import Pool
from publisher_api.accept.micro_batcher import TIMEOUT_SECONDS, MicroBatcher
from publisher_api.accept.model import AcceptRequest, AcceptResult
from publisher_api.accept.service import accept
from publisher_api.db.config_cache import ConfigCache, config_listener
from publisher_api.deliveries.service import record_outcomes
from publisher_api.hosting.bounded_executor import BoundedExecutor
from publisher_api.hosting.chores import chores_of
from publisher_api.outbox.epochs import ReadEpoch
from publisher_api.outbox.relay import Relay
from publisher_api.outbox.shares import Shares
from publisher_api.outbox.sweeper import Sweeper
from publisher_api.refusal import Refusal
from shared.envelope import Message
from shared.outcomes import Outcome
from transport.port import Topic

# Each batch takes a connection and most of a core. The rest stays for single requests, outcomes and reading.
BATCHES_AT_ONCE = 2
MAX_BATCHES_IN_PROGRESS = 16


class ContainerBackend:
    """Groups waiting requests into transactions, and publishes in threads of its own."""

    def __init__(
        self,
        pool: Pool,
        topic: Topic[Message],
        cache: ConfigCache,
        shares: Shares,
        database_url: str,
        clock: Callable[[], datetime],
        new_id: Callable[[], str],
        *,
        read_epoch: ReadEpoch,
    ) -> None:
        self._pool = pool
        self._cache = cache
        self._clock = clock
        self._new_id = new_id
        self._relay = Relay(pool, topic, shares, clock)
        self._sweeper = Sweeper(pool, topic, cache, shares, clock, chores_of(pool, new_id), read_epoch=read_epoch)
        self._listener = config_listener(database_url, cache)
        self._accepting = MicroBatcher[AcceptRequest, AcceptResult | Refusal](self._accept, "accept")
        self._recording = MicroBatcher[Outcome, None](self._record, "record")
        self._batches = BoundedExecutor(
            BATCHES_AT_ONCE, "batch", max_in_progress=MAX_BATCHES_IN_PROGRESS, timeout_seconds=TIMEOUT_SECONDS
        )

    def start(self) -> None:
        self._pool.open()
        self._listener.start()
        self._accepting.start()
        self._recording.start()
        self._relay.start()
        self._sweeper.start()

    def stop(self) -> None:
        self._batches.stop()
        self._accepting.stop()
        self._recording.stop()
        self._sweeper.stop()
        self._relay.stop()
        self._listener.stop()

    async def accept(self, request: AcceptRequest) -> AcceptResult | Refusal:
        return await self._accepting.submit(request, request.producer)

    async def accept_batch(self, parse: Callable[[], AcceptRequest], producer: str) -> AcceptResult | Refusal:
        # A batch is large enough to be a transaction of its own.
        return await self._batches.run(lambda: self._accept([parse()])[0], producer)

    async def record(self, outcome: Outcome) -> None:
        await self._recording.submit(outcome)

    def command_added(self) -> None:
        self._sweeper.sweep_soon()

    def _accept(self, requests: Sequence[AcceptRequest]) -> list[AcceptResult | Refusal]:
        configuration = self._cache.current()
        answers, outgoing = accept(self._pool, requests, configuration, now=self._clock(), new_id=self._new_id)
        self._relay.publish_soon(outgoing)
        return answers

    def _record(self, outcomes: Sequence[Outcome]) -> list[None]:
        record_outcomes(self._pool, outcomes)
        return [None] * len(outcomes)
