"""The cached configuration: how old it may be, and what it returns while Postgres is down."""

import uuid

import psycopg
import pytest

from postgres.pool import make_pool
from publisher_api.db.config_cache import ConfigCache
from publisher_api.templates.store import put_template


def test_a_stale_configuration_is_used_while_postgres_is_down(postgres_url: str) -> None:
    minutes = [0.0]
    with make_pool(postgres_url, 1) as pool:
        cache = ConfigCache(pool, clock=lambda: 60.0 * minutes[0])
        first = cache.current()
        minutes[0] = 2
        second = cache.current()
        assert second is not first, "after two minutes it is reloaded"
    minutes[0] = 4  # and the pool is closed
    assert cache.cached() is None
    assert cache.current() is second


def test_only_changed_templates_are_read_again(postgres_url: str) -> None:
    with make_pool(postgres_url, 1) as pool:
        cache = ConfigCache(pool)
        names = [f"t-{uuid.uuid4().hex}" for _ in range(3)]
        changed, deleted, kept = names
        with pool.connection() as connection:
            for name in names:
                put_template(connection, name, {"inapp": {"title": "before"}})
        before = cache.current().templates
        with pool.connection() as connection:
            put_template(connection, changed, {"inapp": {"title": "after"}})
            connection.execute("delete from templates where template_name = %s", [deleted])
        cache.drop()
        after = cache.current().templates
    assert after[changed] == {"inapp": {"title": "after"}}
    assert deleted not in after
    assert after[kept] is before[kept]


def test_a_dropped_configuration_is_not_used(postgres_url: str) -> None:
    with make_pool(postgres_url, 1) as pool:
        cache = ConfigCache(pool)
        cache.current()
    cache.drop()
    with pytest.raises(psycopg.OperationalError):
        cache.current()


def test_a_change_at_the_end_of_a_load_is_not_missed(postgres_url: str) -> None:
    changing = True

    def clock() -> float:
        if changing:
            cache.drop()  # the change is announced when the cache asks for the time at which it has loaded
        return 0.0

    with make_pool(postgres_url, 1) as pool:
        cache = ConfigCache(pool, clock)
        cache.current()
        changing = False
        assert cache.cached() is None
