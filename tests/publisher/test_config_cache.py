"""The cached configuration: how old it may be, and what it returns while Postgres is down."""

import uuid

import psycopg
import pytest

from postgres.pool import Connected, make_pool
from publisher_api.db.config_cache import ConfigCache
from publisher_api.templates.model import TemplateContent
from publisher_api.templates.store import publish, put_version


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


def publish_new(connection: Connected, name: str, title: str) -> int:
    version = put_version(connection, (None, name), TemplateContent(content={"inapp": {"title": title}}))
    publish(connection, (None, name), version)
    return version


def delete(connection: Connected, name: str) -> None:
    connection.execute("delete from published_templates where template_name = %s", [name])
    connection.execute("delete from template_versions where template_name = %s", [name])


def test_only_changed_templates_are_read_again(postgres_url: str) -> None:
    names = [f"t-{uuid.uuid4().hex}" for _ in range(3)]
    changed, deleted, kept = ((None, name) for name in names)
    with make_pool(postgres_url, 1) as pool:
        cache = ConfigCache(pool)
        with pool.connection() as connection:
            for name in names:
                publish_new(connection, name, "before")
        before = cache.current().templates
        with pool.connection() as connection:
            publish_new(connection, names[0], "after")
            delete(connection, names[1])
        cache.drop()
        after = cache.current().templates
    assert after[changed].published == 2
    assert after[changed].versions[2].content == {"inapp": {"title": "after"}}
    assert after[changed].versions[1] is before[changed].versions[1]
    assert deleted not in after
    assert after[kept].versions[1] is before[kept].versions[1]


def test_the_published_and_the_five_newest_versions_are_held(postgres_url: str) -> None:
    name = f"t-{uuid.uuid4().hex}"
    with make_pool(postgres_url, 1) as pool:
        with pool.connection() as connection:
            for title in "abcdefgh":
                publish_new(connection, name, title)
            publish(connection, (None, name), 2)
        found = ConfigCache(pool).current().templates[None, name]
    assert (found.published, sorted(found.versions)) == (2, [2, 4, 5, 6, 7, 8])


def test_a_version_that_is_stored_again_under_its_number_is_read_again(postgres_url: str) -> None:
    name = f"t-{uuid.uuid4().hex}"
    with make_pool(postgres_url, 1) as pool:
        cache = ConfigCache(pool)
        for title in ("before", "after"):
            with pool.connection() as connection:
                delete(connection, name)
                publish_new(connection, name, title)
            cache.drop()
            found = cache.current().templates[None, name]
            assert found.versions[1].content == {"inapp": {"title": title}}


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
