"""The cached configuration: how old it may be, and what it returns while Postgres is down."""

import psycopg
import pytest

from publisher_api.db.config_cache import ConfigCache
from publisher_api.db.pool import make_pool


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


def test_a_dropped_configuration_is_not_used(postgres_url: str) -> None:
    with make_pool(postgres_url, 1) as pool:
        cache = ConfigCache(pool)
        cache.current()
    cache.drop()
    with pytest.raises(psycopg.OperationalError):
        cache.current()
