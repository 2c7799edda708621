"""The role ``heliograph_worker`` in Postgres can use the tables of the worker, and nothing else."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import Connection
from psycopg.errors import InsufficientPrivilege

from local.config import WORKER_ROLE

THEIRS = ("transport.messages", "state.ledger", "state.switches", "state.inbox", "state.inbox_heads")


@pytest.fixture
def worker(postgres_url: str) -> Iterator[Connection]:
    """A connection with the rights of the worker. What it changes is rolled back."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute(f"set role {WORKER_ROLE}")
        connection.commit()
        yield connection
        connection.rollback()


def tables_of_the_publisher(postgres_url: str) -> list[str]:
    with psycopg.connect(postgres_url) as connection:
        rows = connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
    return [name for (name,) in rows]


def test_it_can_read_none_of_the_publishers_tables(worker: Connection, postgres_url: str) -> None:
    tables = tables_of_the_publisher(postgres_url)
    assert {"users", "notifications", "deliveries", "devices", "api_keys"} <= set(tables)
    for table in tables:
        for statement in (f"select from public.{table}", f"delete from public.{table}"):  # noqa: S608 - from the catalogue
            with pytest.raises(InsufficientPrivilege):
                worker.execute(statement)
            worker.rollback()


@pytest.mark.parametrize("table", THEIRS)
def test_it_can_read_and_write_its_own_tables(worker: Connection, table: str) -> None:
    worker.execute(f"select * from {table}")  # noqa: S608 - from the list above
    worker.execute(f"lock table {table} in row exclusive mode")


def test_it_can_take_and_publish_messages(worker: Connection) -> None:
    name = uuid.uuid4().hex
    worker.execute("insert into transport.messages (subscription, data, attributes) values (%s, '', '{}')", [name])
    worker.execute("update transport.messages set attempts = 1 where subscription = %s", [name])
    worker.execute("delete from transport.messages where subscription = %s", [name])
    worker.execute("select pg_notify('transport', %s)", [name])


def test_it_cannot_delete_the_switches(worker: Connection) -> None:
    with pytest.raises(InsufficientPrivilege):
        worker.execute("delete from state.switches")


@pytest.mark.parametrize("schema", ["public", "transport", "state"])
def test_it_can_create_no_table(worker: Connection, schema: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        worker.execute(f"create table {schema}.mine (id int)")
