"""The health checks: how often, and where they run."""

import asyncio
import threading
from itertools import count

import anyio
import anyio.to_thread

from publisher_api.web.health import Cached


def test_callers_within_one_second_share_one_check() -> None:
    checks = count(1)
    now = [0.0]
    cached = Cached(lambda: next(checks), lambda: now[0])

    async def get_together() -> list[int]:
        return await asyncio.gather(*(cached.get() for _ in range(20)))

    assert set(asyncio.run(get_together())) == {1}
    now[0] = 0.9
    assert asyncio.run(cached.get()) == 1
    now[0] = 1.0
    assert asyncio.run(cached.get()) == 2


def test_a_check_needs_none_of_the_threads_that_the_routes_share() -> None:
    async def scenario() -> None:
        free = threading.Event()
        anyio.to_thread.current_default_thread_limiter().total_tokens = 1
        async with anyio.create_task_group() as routes:
            routes.start_soon(anyio.to_thread.run_sync, free.wait, 10)
            await asyncio.sleep(0)  # the one shared thread waits now
            try:
                assert await asyncio.wait_for(Cached(lambda: "checked").get(), 5) == "checked"
            finally:
                free.set()

    asyncio.run(scenario())
