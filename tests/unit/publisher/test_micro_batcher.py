"""The micro-batcher: queued items are processed together, and one bad item affects no other."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Sequence

import psycopg
import pytest

from publisher_api.accept.micro_batcher import MicroBatcher
from publisher_api.refusal import Refusal, RefusalCode


class Work:
    """Work that can be paused, and that keeps the batches it got."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.busy = threading.Event()
        self.free = threading.Event()

    def double(self, items: Sequence[int]) -> list[int]:
        self.batches.append(list(items))
        self.busy.set()
        self.free.wait(10)
        if -1 in items:
            raise ValueError("bad item")
        if -2 in items:
            raise psycopg.OperationalError("away")
        return [item * 2 for item in items]


async def submit_all(work: Work, items: list[int], max_batch: int = 256) -> list[int | BaseException]:
    """Submit one item, and the others while it is being processed; then release the work."""
    batcher = MicroBatcher[int, int](work.double, "test", max_batch=max_batch)
    batcher.start()
    first = asyncio.create_task(batcher.submit(items[0]))
    await asyncio.to_thread(work.busy.wait, 10)
    rest = [asyncio.create_task(batcher.submit(item)) for item in items[1:]]
    await asyncio.sleep(0)
    work.free.set()
    results = await asyncio.gather(first, *rest, return_exceptions=True)
    await asyncio.to_thread(batcher.stop)
    return results


def test_a_single_item_runs_at_once_and_what_queues_meanwhile_is_one_batch() -> None:
    work = Work()
    assert asyncio.run(submit_all(work, [1, 2, 3, 4])) == [2, 4, 6, 8]
    assert work.batches == [[1], [2, 3, 4]]


def test_a_batch_is_limited() -> None:
    work = Work()
    asyncio.run(submit_all(work, [1, 2, 3, 4, 5], max_batch=2))
    assert work.batches == [[1], [2, 3], [4, 5]]


def test_a_bad_item_fails_alone() -> None:
    results = asyncio.run(submit_all(Work(), [1, 2, -1, 3]))
    assert (results[0], results[1], results[3]) == (2, 4, 6)
    assert isinstance(results[2], ValueError)


def test_without_postgres_every_item_fails_and_none_is_retried_alone() -> None:
    work = Work()
    results = asyncio.run(submit_all(work, [1, 2, -2, 3]))
    assert results[0] == 2
    assert all(isinstance(result, psycopg.OperationalError) for result in results[1:])
    assert work.batches == [[1], [2, -2, 3]]


def test_a_cancelled_request_does_not_affect_the_others() -> None:
    async def scenario() -> int:
        work = Work()
        batcher = MicroBatcher[int, int](work.double, "test")
        batcher.start()
        leaving = asyncio.create_task(batcher.submit(1))
        await asyncio.to_thread(work.busy.wait, 10)
        staying = asyncio.create_task(batcher.submit(2))
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        work.free.set()
        result = await staying
        await asyncio.to_thread(batcher.stop)
        return result

    assert asyncio.run(scenario()) == 4


async def while_busy(work: Work, **options: float) -> tuple[MicroBatcher[int, int], "asyncio.Task[int]"]:
    """A batcher that is processing the item 1."""
    batcher = MicroBatcher[int, int](work.double, "test", **options)  # type: ignore[arg-type]  # int or float, as needed
    batcher.start()
    first = asyncio.create_task(batcher.submit(1))
    await asyncio.to_thread(work.busy.wait, 10)
    return batcher, first


def test_an_item_that_times_out_in_the_queue_is_never_processed() -> None:
    async def scenario(work: Work) -> list[int | BaseException]:
        batcher, first = await while_busy(work, timeout_seconds=0.2)
        results = await asyncio.gather(first, batcher.submit(2), return_exceptions=True)
        work.free.set()
        last = await batcher.submit(3)
        await asyncio.to_thread(batcher.stop)
        return [*results, last]

    work = Work()
    begun, queued, last = asyncio.run(scenario(work))
    assert refused(begun) is RefusalCode.TIMED_OUT
    assert refused(queued) is RefusalCode.OVERLOADED
    assert last == 6
    assert work.batches == [[1], [3]]


def test_an_item_whose_task_is_cancelled_in_the_queue_is_never_processed() -> None:
    async def scenario(work: Work) -> None:
        batcher, first = await while_busy(work)
        leaving = asyncio.create_task(batcher.submit(2))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.wait([leaving])
        work.free.set()
        await first
        await asyncio.to_thread(batcher.stop)

    work = Work()
    asyncio.run(scenario(work))
    assert work.batches == [[1]]


def test_an_item_that_was_given_up_is_not_kept_in_the_queue() -> None:
    class Body:
        pass

    async def scenario() -> None:
        free = threading.Event()
        batcher = MicroBatcher[Body, bool](lambda items: [free.wait(10) for _ in items], "test", timeout_seconds=0.2)
        batcher.start()
        first, second = Body(), Body()
        kept = weakref.ref(second)
        submitted = [asyncio.create_task(batcher.submit(first))]
        await asyncio.sleep(0.1)
        submitted.append(asyncio.create_task(batcher.submit(second)))
        await asyncio.gather(*submitted, return_exceptions=True)  # an error that is not looked at would be logged
        del second, submitted
        await asyncio.sleep(0)  # while this step runs, the event loop keeps the results that it gave to it
        gc.collect()
        assert kept() is None
        free.set()
        await asyncio.to_thread(batcher.stop)

    asyncio.run(scenario())


def test_a_full_queue_refuses_at_once() -> None:
    async def scenario(work: Work) -> int | BaseException:
        batcher, first = await while_busy(work, max_waiting=1)
        queued = asyncio.create_task(batcher.submit(2))
        await asyncio.sleep(0)
        [refusal] = await asyncio.gather(batcher.submit(3), return_exceptions=True)
        work.free.set()
        await asyncio.gather(first, queued)
        await asyncio.to_thread(batcher.stop)
        return refusal

    work = Work()
    assert refused(asyncio.run(scenario(work))) is RefusalCode.OVERLOADED
    assert work.batches == [[1], [2]]


def test_a_flood_by_one_producer_delays_another_by_one_batch_at_most() -> None:
    async def scenario(work: Work) -> None:
        batcher, first = await while_busy(work, max_batch=4)
        flood = [asyncio.create_task(batcher.submit(item, "flood")) for item in range(100, 120)]
        await asyncio.sleep(0)
        other = asyncio.create_task(batcher.submit(2, "shop"))
        await asyncio.sleep(0)
        work.free.set()
        await asyncio.gather(first, other, *flood)
        await asyncio.to_thread(batcher.stop)

    work = Work()
    asyncio.run(scenario(work))
    assert work.batches[:2] == [[1], [100, 2, 101, 102]]


def test_a_queue_that_one_producer_fills_still_takes_what_another_sends() -> None:
    async def scenario(work: Work) -> list[int | BaseException]:
        batcher, first = await while_busy(work, max_waiting=6)
        flood = [asyncio.create_task(batcher.submit(item, "flood")) for item in range(7)]
        await asyncio.sleep(0)
        other = asyncio.create_task(batcher.submit(2, "shop"))
        await asyncio.sleep(0)
        work.free.set()
        results = await asyncio.gather(other, *flood, return_exceptions=True)
        await first
        await asyncio.to_thread(batcher.stop)
        return results

    other, *flood = asyncio.run(scenario(Work()))
    assert other == 4
    assert flood[:6] == [0, 2, 4, 6, 8, 10]
    assert refused(flood[6]) is RefusalCode.OVERLOADED


def refused(result: int | BaseException) -> RefusalCode:
    assert isinstance(result, Refusal)
    return result.code
