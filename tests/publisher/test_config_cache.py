"""The catalog in memory: how old it may be, and what it is worth when Postgres cannot be asked."""

import psycopg
import pytest

from publisher_api.store.catalog import Catalog
from publisher_api.store.pool import make_pool


def test_an_old_catalog_does_until_postgres_can_be_asked_again(postgres_url: str) -> None:
    minutes = [0.0]
    with make_pool(postgres_url, 1) as pool:
        catalog = Catalog(pool, clock=lambda: 60.0 * minutes[0])
        first = catalog.current()
        minutes[0] = 2
        second = catalog.current()
        assert second is not first, "one that is two minutes old is read anew"
    minutes[0] = 4  # and the pool is closed
    assert catalog.cached() is None
    assert catalog.current() is second


def test_a_catalog_that_is_known_to_be_wrong_is_not_used(postgres_url: str) -> None:
    with make_pool(postgres_url, 1) as pool:
        catalog = Catalog(pool)
        catalog.current()
    catalog.drop()
    with pytest.raises(psycopg.OperationalError):
        catalog.current()
