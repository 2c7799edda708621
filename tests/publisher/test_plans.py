"""What is asked often uses indexes, at a size at which Postgres would otherwise read whole tables."""

from collections.abc import Callable, Iterator

import pytest

from bench.growth_requests import Requests, requests_over
from publisher_api.connections import new_id, now
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


def test_a_table_that_is_read_as_a_whole_is_found(requests: Requests) -> None:
    def read_all() -> None:
        with requests.pool.connection() as connection:
            connection.execute("select count(*) from notifications where payload ->> 'amount' = '11'")

    assert requests.plan(read_all).scanned == ["notifications"]
