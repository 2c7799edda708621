"""The threads of batches: what runs, what waits, and what is refused."""

import asyncio
import threading
from collections.abc import Awaitable, Callable

import pytest

from publisher_api.hosting.bounded_executor import BoundedExecutor
from publisher_api.refusal import Refusal, RefusalCode


def run(
    scenario: Callable[[BoundedExecutor, threading.Event], Awaitable[None]],
    max_in_progress: int = 16,
    timeout_seconds: float = 10,
    threads: int = 1,
) -> None:
    """Run ``scenario`` with threads of which one waits for the event. The event is set in the end."""

    async def main() -> None:
        executor = BoundedExecutor(threads, "test", max_in_progress=max_in_progress, timeout_seconds=timeout_seconds)
        free = threading.Event()
        try:
            await scenario(executor, free)
        finally:
            free.set()
            await asyncio.to_thread(executor.stop)

    asyncio.run(main())


async def begun(executor: BoundedExecutor, free: threading.Event) -> "asyncio.Task[bool]":
    """A task whose work is running, and waits for ``free``."""
    running = threading.Event()

    def work() -> bool:
        running.set()
        return free.wait(10)

    task = asyncio.create_task(executor.run(work, "shop"))
    await asyncio.to_thread(running.wait, 10)
    return task


def test_the_event_loop_goes_on_while_work_runs() -> None:
    async def scenario(executor: BoundedExecutor, free: threading.Event) -> None:
        task = await begun(executor, free)
        free.set()
        assert await task

    run(scenario)


def test_work_that_waits_too_long_is_refused_and_never_runs() -> None:
    async def scenario(executor: BoundedExecutor, free: threading.Event) -> None:
        ran = threading.Event()
        first = await begun(executor, free)
        with pytest.raises(Refusal) as refused:
            await executor.run(ran.set, "shop")
        free.set()
        assert await first, "work that was begun is not given up"
        assert refused.value.code is RefusalCode.OVERLOADED
        await executor.run(lambda: None, "shop")
        assert not ran.is_set()

    run(scenario, timeout_seconds=0.2)


def test_work_of_a_cancelled_task_never_runs() -> None:
    async def scenario(executor: BoundedExecutor, free: threading.Event) -> None:
        ran = threading.Event()
        first = await begun(executor, free)
        waiting = asyncio.create_task(executor.run(ran.set, "shop"))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
        free.set()
        await first
        await executor.run(lambda: None, "shop")
        assert not ran.is_set()

    run(scenario)


def test_work_that_runs_keeps_its_turn_when_its_caller_is_cancelled() -> None:
    async def scenario(executor: BoundedExecutor, free: threading.Event) -> None:
        first = await begun(executor, free)
        first.cancel()
        await asyncio.wait([first])
        ran = threading.Event()
        second = asyncio.create_task(executor.run(ran.set, "shop"))
        await asyncio.sleep(0)
        assert await executor.run(lambda: "done", "other") == "done"
        assert not ran.is_set(), "a producer has one thread, although two are free"
        free.set()
        await second

    run(scenario, threads=2)


def test_work_that_waits_for_its_turn_is_refused_when_the_executor_has_stopped() -> None:
    async def scenario(executor: BoundedExecutor, free: threading.Event) -> None:
        first = await begun(executor, free)
        waiting = asyncio.create_task(executor.run(lambda: None, "shop"))
        await asyncio.sleep(0)
        stopping = asyncio.create_task(asyncio.to_thread(executor.stop))
        while True:
            try:
                await executor.run(lambda: None, "other")
            except Refusal:
                break
        free.set()
        assert await first
        with pytest.raises(Refusal) as refused:
            await waiting
        assert refused.value.code is RefusalCode.OVERLOADED
        await stopping

    run(scenario, threads=2)


def test_a_refusal_an_error_and_a_cancelled_task_leave_their_places_to_others() -> None:
    async def scenario(executor: BoundedExecutor, free: threading.Event) -> None:
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await executor.run(lambda: 1 // 0, "shop")
        first = await begun(executor, free)
        for _ in range(3):
            waiting = asyncio.create_task(executor.run(lambda: None, "shop"))
            await asyncio.sleep(0)
            with pytest.raises(Refusal):
                await executor.run(lambda: None, "shop")
            waiting.cancel()
            await asyncio.wait([waiting])
        free.set()
        await first
        await executor.run(lambda: None, "shop")

    run(scenario, max_in_progress=2)


def test_a_producer_that_fills_every_place_leaves_a_share_to_others() -> None:
    async def scenario(executor: BoundedExecutor, free: threading.Event) -> None:
        first = await begun(executor, free)
        flood = [asyncio.create_task(executor.run(lambda: None, "shop")) for _ in range(5)]
        await asyncio.sleep(0)
        with pytest.raises(Refusal):
            await executor.run(lambda: None, "shop")
        other = asyncio.create_task(executor.run(lambda: "done", "other"))
        await asyncio.sleep(0)
        free.set()
        assert await other == "done"
        await asyncio.gather(first, *flood)

    run(scenario, max_in_progress=6)


def test_a_producer_has_one_thread_and_the_others_take_turns() -> None:
    async def scenario(executor: BoundedExecutor, free: threading.Event) -> None:
        ran: list[str] = []
        first = await begun(executor, free)
        flood = [asyncio.create_task(executor.run(lambda: ran.append("shop"), "shop")) for _ in range(3)]
        await asyncio.sleep(0)
        await executor.run(lambda: ran.append("other"), "other")
        assert ran == ["other"], "the work of the flood waits, and a thread is free for the other producer"
        free.set()
        await asyncio.gather(first, *flood)

    run(scenario, threads=2)
