import asyncio
from itertools import count

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
