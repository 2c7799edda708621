"""Buckets in Postgres, against a reference that computes with fractions; and taken from by many at once."""

import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from postgres.pool import Pool, autocommit, fetch_one, make_pool
from publisher_api.limits.model import MAX_TOKENS, MAX_WINDOW_SECONDS, Limit
from publisher_api.limits.service import take
from publisher_api.limits.tokens import Bucket, Claim, Grant, quota_of

# A token takes days, so that the time which a test takes gives none. Times in between are moved by SQL.
SLOW = MAX_WINDOW_SECONDS


@pytest.fixture(scope="module")
def pool(postgres_url: str) -> Iterator[Pool]:
    with make_pool(postgres_url, 4) as pool:
        yield pool


def bucket(limit: int = 1, window_seconds: int = SLOW, burst: int = 1, queue_seconds: int = 0) -> Bucket:
    """A new bucket, which is full."""
    kept = Limit(limit=limit, window_seconds=window_seconds, burst=burst)
    return Bucket(key=f"producer:{uuid.uuid4().hex}", limit=kept, queue_seconds=queue_seconds)


def granted(pool: Pool, *claims: Claim) -> list[bool]:
    """Whether each claim was granted by its producer and by its user."""
    return [not (grant.refused_by_producer or grant.refused_by_user) for grant in grants(pool, *claims)]


def grants(pool: Pool, *claims: Claim) -> list[Grant]:
    return list(take(pool, claims).grants)


def pass_time(pool: Pool, seconds: int, *buckets: Bucket) -> None:
    with autocommit(pool) as connection:
        connection.execute(
            "update limit_buckets set full_at = full_at - make_interval(secs => %s) where bucket = any(%s)",
            [seconds, [each.key for each in buckets]],
        )


class Reference:
    """The definition of a token bucket: it refills evenly, and is never fuller than full."""

    def __init__(self, limit: Limit) -> None:
        self.limit = limit
        self.tokens = Fraction(limit.burst)

    def wait(self, seconds: int) -> None:
        more = Fraction(seconds * self.limit.limit, self.limit.window_seconds)
        self.tokens = min(Fraction(self.limit.burst), self.tokens + more)

    def take(self, tokens: int) -> bool:
        if self.tokens < tokens:
            return False
        self.tokens -= tokens
        return True


STEPS = st.lists(
    st.tuples(st.sampled_from([0, 0, 1, SLOW // 7, SLOW // 3, SLOW // 2, SLOW, 2 * SLOW]), st.lists(st.integers(1, 4))),
    max_size=8,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=st.integers(1, 3), burst=st.integers(1, 6), steps=STEPS)
def test_a_bucket_gives_what_the_definition_says(
    pool: Pool, limit: int, burst: int, steps: list[tuple[int, list[int]]]
) -> None:
    asked = bucket(limit, SLOW, burst)
    reference = Reference(asked.limit)
    for seconds, amounts in steps:
        pass_time(pool, seconds, asked)
        reference.wait(seconds)
        claims = [Claim(producer=asked, producer_tokens=amount) for amount in amounts]
        if not claims:
            continue
        taken = take(pool, claims)
        assert [not grant.refused_by_producer for grant in taken.grants] == [reference.take(each) for each in amounts]
        assert quota_of(asked.limit, taken.owed[asked.key]).remaining == int(reference.tokens)


def test_a_bucket_says_when_there_is_one_token_more(pool: Pool) -> None:
    asked = bucket(limit=2, window_seconds=100, burst=3)
    after = [quota_of(asked.limit, take(pool, [Claim(producer=asked)]).owed[asked.key]) for _ in range(4)]
    assert [each.remaining for each in after] == [2, 1, 0, 0]
    assert [each.reset_seconds for each in after] == [50, 50, 50, 50]


def test_what_a_producer_is_refused_takes_nothing_of_its_user(pool: Pool) -> None:
    producer, user = bucket(), bucket()
    assert granted(pool, *[Claim(producer=producer, user=user)] * 3) == [True, False, False]
    pass_time(pool, SLOW, producer, user)
    assert granted(pool, Claim(producer=producer), Claim(producer=producer, user=user), Claim(user=user)) == [
        True, False, True,
    ]  # fmt: skip


def test_claims_that_follow_another_are_refused_with_it_and_only_with_it(pool: Pool) -> None:
    producer, user = bucket(burst=2), bucket(burst=5)
    following = [Claim(user=user, after=0)] * 2
    assert granted(pool, Claim(producer=producer, producer_tokens=3), *following) == [False] * 3
    assert granted(pool, Claim(producer=producer, producer_tokens=2), *following) == [True] * 3


def test_a_queue_gives_each_delivery_the_time_of_its_own_token(pool: Pool) -> None:
    channel = bucket(limit=1, window_seconds=100, burst=2, queue_seconds=300)
    [grant] = grants(pool, Claim(channels=[channel] * 6))
    waits = [None if wait is None else wait.total_seconds() for wait in grant.waits]
    assert waits == [0, 0, 100, 200, 300, None]
    pass_time(pool, 100, channel)
    [later] = grants(pool, Claim(channels=[channel]))
    [wait] = later.waits
    assert wait is not None
    assert 299 < wait.total_seconds() <= 300


def test_after_a_change_of_the_limit_what_was_taken_is_still_taken(pool: Pool) -> None:
    before = bucket(limit=4, burst=4)
    assert granted(pool, *[Claim(producer=before)] * 3) == [True] * 3

    def changed(limit: int) -> list[bool]:
        after = Limit(limit=limit, window_seconds=SLOW // 2, burst=limit)
        return granted(pool, *[Claim(producer=Bucket(key=before.key, limit=after))] * 5)

    assert changed(6) == [True, True, True, False, False]
    assert changed(8) == [True, True, False, False, False]
    assert changed(3) == [False] * 5


def test_the_largest_limit_and_a_change_from_the_slowest_one_overflow_nothing(pool: Pool) -> None:
    slowest = bucket(limit=1, window_seconds=MAX_WINDOW_SECONDS, burst=MAX_TOKENS, queue_seconds=604_800)
    assert granted(pool, Claim(producer=slowest, producer_tokens=MAX_TOKENS)) == [True]
    fastest = Limit(limit=MAX_TOKENS, window_seconds=1, burst=MAX_TOKENS)
    changed = Bucket(key=slowest.key, limit=fastest)
    taken = take(pool, [Claim(producer=changed)])
    assert taken.grants[0].refused_by_producer
    time.sleep(1.1)  # all tokens of the old limit were taken, and the new one fills the bucket in a second
    assert granted(pool, Claim(producer=changed)) == [True]


def test_many_at_once_get_exactly_what_is_there(pool: Pool, postgres_url: str) -> None:
    """Two pools are two instances of the publisher. Each statement takes from two buckets, in changing order."""
    first, second = bucket(burst=37), bucket(burst=53)
    with make_pool(postgres_url, 8) as other, ThreadPoolExecutor(16) as threads:

        def hammer(number: int) -> tuple[int, int]:
            claims = [Claim(producer=first), Claim(producer=second)]
            claims = claims if number % 2 else claims[::-1]
            found = granted(pool if number % 3 else other, *claims)
            one, two = found if number % 2 else found[::-1]
            return one, two

        results = list(threads.map(hammer, range(200)))
    assert (sum(one for one, _ in results), sum(two for _, two in results)) == (37, 53)


def test_many_at_once_get_what_comes_in_the_meantime_and_no_more(pool: Pool, postgres_url: str) -> None:
    asked = bucket(limit=200, window_seconds=1, burst=20)
    ending = threading.Event()

    def seconds() -> float:
        with autocommit(pool) as connection:
            now = connection.execute("select extract(epoch from clock_timestamp())::float as now")
            found: float = fetch_one(now)["now"]
            return found

    def hammer(own: Pool) -> int:
        count = 0
        while not ending.is_set():
            count += sum(granted(own, Claim(producer=asked), Claim(producer=asked)))
        return count

    with make_pool(postgres_url, 8) as other, ThreadPoolExecutor(6) as threads:
        before = seconds()
        hammering = [threads.submit(hammer, own) for own in (pool, other) for _ in range(3)]
        time.sleep(1.5)
        ending.set()
        admitted = sum(each.result() for each in hammering)
        left = quota_of(asked.limit, take(pool, [Claim(producer=asked)]).owed[asked.key]).remaining
        after = seconds()
    most = 20 + (after - before) * 200
    assert admitted + left <= most
    assert admitted + left > most - 20, "tokens were lost"  # the time until the first statement, and after the last
