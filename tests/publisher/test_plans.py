"""What is asked often uses indexes, at a size at which Postgres would otherwise read whole tables."""

from collections.abc import Callable, Iterator

import pytest

from bench.growth_requests import Requests, requests_over
from postgres.pool import fetch_one
from publisher_api.connections import new_id, now
from publisher_api.db.config_cache import ConfigCache
from publisher_api.erasures.service import Erasures
from publisher_api.export.service import export
from publisher_api.principal import command
from publisher_api.retention.service import purge_some

TOTAL = 50_000
FEW = 10_000
"""Of so many rows Postgres still reads a whole table if it expects to need a hundred of them."""


@pytest.fixture(scope="module")
def requests(postgres_server_url: str) -> Iterator[Requests]:
    with requests_over(postgres_server_url, TOTAL) as requests:
        yield requests


@pytest.mark.parametrize(
    ("name", "indexes"),
    [
        ("accept", {"dedup_keys_pkey"}),
        ("dedup", {"dedup_keys_pkey"}),
        ("list", {"notifications_of_user_by_time", "deliveries_of_notification"}),
        ("unread", {"notifications_unread", "deliveries_of_notification"}),
    ],
)
def test_a_request_uses_indexes(requests: Requests, name: str, indexes: set[str]) -> None:
    plan = requests.plan(requests.all[name])
    assert plan.scanned == []
    assert indexes <= set(plan.indexes)


@pytest.mark.parametrize("name", ["accept", "dedup"])
def test_a_key_is_found_by_its_index_while_there_are_few(postgres_server_url: str, name: str) -> None:
    with requests_over(postgres_server_url, FEW) as requests:
        assert "dedup_keys" not in requests.plan(requests.all[name]).scanned


def erase(requests: Requests) -> None:
    Erasures(requests.pool, now, lambda: "00000000-0000-7000-8000-000000000001", lambda: None).request(
        "user-1", command("t")
    )


def read_export(requests: Requests) -> None:
    assert "".join(export(requests.pool, "user-2"))


def purge(requests: Requests) -> None:
    with requests.pool.connection() as connection:
        connection.execute("update retention set document = '{\"days\": 1}'")
        connection.execute(
            "update notifications set accepted_at = now() - interval '2 days', created_at = now() - interval '2 days'"
            " where user_id = 'user-3'"
        )
    assert purge_some(requests.pool, now(), new_id)


@pytest.mark.parametrize("use", [erase, read_export, purge])
def test_what_is_done_to_one_user_or_event_type_uses_indexes(
    requests: Requests, use: Callable[[Requests], None]
) -> None:
    assert requests.plan(lambda: use(requests)).scanned == []


def versions_read(requests: Requests) -> int:
    """How many rows of the versions of templates were read so far, through an index or not."""
    with requests.pool.connection() as connection:
        connection.execute("select pg_stat_force_next_flush()")
    with requests.pool.connection() as connection:
        found = connection.execute(
            """
            select seq_tup_read + (select sum(idx_tup_read) from pg_stat_user_indexes i where i.relid = t.relid) as read
              from pg_stat_user_tables t where relname = 'template_versions'
            """
        )
        return int(fetch_one(found)["read"])


def test_a_reload_of_the_configuration_reads_only_the_versions_that_can_be_used(requests: Requests) -> None:
    with requests.pool.connection() as connection:
        connection.execute(
            "insert into template_versions (tenant, template_name, version, content, locales)"
            " select '', name, n, '{}', '{}' from generate_series(1, 2000) n, unnest(array['A', 'old', 'z']) name"
        )
        connection.execute("insert into published_templates values ('', 'old', 1)")
        connection.execute("analyze template_versions")
    cache = ConfigCache(requests.pool)
    cache.current()
    cache.drop()
    before = versions_read(requests)
    templates = cache.current().templates
    assert versions_read(requests) - before < 200
    newest = [1996, 1997, 1998, 1999, 2000]
    assert [sorted(templates[None, name].versions) for name in ("A", "old", "z")] == [newest, [1, *newest], newest]


def test_a_table_that_is_read_as_a_whole_is_found(requests: Requests) -> None:
    def read_all() -> None:
        with requests.pool.connection() as connection:
            connection.execute("select count(*) from notifications where payload ->> 'amount' = '11'")

    assert requests.plan(read_all).scanned == ["notifications"]
