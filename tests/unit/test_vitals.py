import asyncio
from itertools import count

from publisher_api.vitals import Recent


def test_who_asks_within_a_second_of_another_is_told_the_same() -> None:
    found_out = count(1)
    now = [0.0]
    recent = Recent(lambda: next(found_out), lambda: now[0])

    async def ask_together() -> list[int]:
        return await asyncio.gather(*(recent.get() for _ in range(20)))

    assert set(asyncio.run(ask_together())) == {1}
    now[0] = 0.9
    assert asyncio.run(recent.get()) == 1
    now[0] = 1.0
    assert asyncio.run(recent.get()) == 2
