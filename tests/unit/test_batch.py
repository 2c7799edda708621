"""The micro-batcher: what waits is worked on together, and nobody is harmed by a neighbour."""

import asyncio
import threading
from collections.abc import Sequence

import psycopg
import pytest

from publisher_api.accept.batch import MicroBatcher


class Bench:
    """Work that can be held up, and that remembers the batches it was given."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.busy = threading.Event()
        self.free = threading.Event()

    def double(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        self.busy.set()
        self.free.wait(10)
        if -1 in items:
            raise ValueError("poison")
        if -2 in items:
            raise psycopg.OperationalError("away")
        return [item * 2 for item in items]


async def submit_all(bench: Bench, items: list[int], limit: int = 256) -> list[int | BaseException]:
    """Submit one item, and while that is worked on the rest; then let go."""
    batcher = MicroBatcher[int, int](bench.double, "test", limit)
    batcher.start()
    first = asyncio.create_task(batcher.submit(items[0]))
    await asyncio.to_thread(bench.busy.wait, 10)
    rest = [asyncio.create_task(batcher.submit(item)) for item in items[1:]]
    await asyncio.sleep(0)
    bench.free.set()
    results = await asyncio.gather(first, *rest, return_exceptions=True)
    await asyncio.to_thread(batcher.stop)
    return results


def test_alone_an_item_waits_for_nobody_and_what_comes_meanwhile_is_one_batch() -> None:
    bench = Bench()
    assert asyncio.run(submit_all(bench, [1, 2, 3, 4])) == [2, 4, 6, 8]
    assert bench.batches == [[1], [2, 3, 4]]


def test_a_batch_has_a_limit() -> None:
    bench = Bench()
    asyncio.run(submit_all(bench, [1, 2, 3, 4, 5], limit=2))
    assert bench.batches == [[1], [2, 3], [4, 5]]


def test_a_poisoned_item_fails_alone() -> None:
    results = asyncio.run(submit_all(Bench(), [1, 2, -1, 3]))
    assert (results[0], results[1], results[3]) == (2, 4, 6)
    assert isinstance(results[2], ValueError)


def test_when_postgres_is_away_all_are_told_and_none_is_tried_alone() -> None:
    bench = Bench()
    results = asyncio.run(submit_all(bench, [1, 2, -2, 3]))
    assert results[0] == 2
    assert all(isinstance(result, psycopg.OperationalError) for result in results[1:])
    assert bench.batches == [[1], [2, -2, 3]]


def test_a_waiter_that_leaves_does_not_disturb_the_others() -> None:
    async def scenario() -> int:
        bench = Bench()
        batcher = MicroBatcher[int, int](bench.double, "test")
        batcher.start()
        leaver = asyncio.create_task(batcher.submit(1))
        await asyncio.to_thread(bench.busy.wait, 10)
        stayer = asyncio.create_task(batcher.submit(2))
        leaver.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaver
        bench.free.set()
        result = await stayer
        await asyncio.to_thread(batcher.stop)
        return result

    assert asyncio.run(scenario()) == 4
