"""Erases users at times of a test's choice, with a worker that handles what is published."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from psycopg import sql
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from functions.inapp.handler import handle
from functions.postgres.inbox import PostgresInbox
from functions.postgres.ledger import LedgerTable, PostgresLedger
from functions.postgres.switches import PostgresSwitchStore
from functions.runtime.ports import Services
from functions.runtime.recording import record
from functions.runtime.switches import CachedSwitches
from publisher_api.connections import new_id
from publisher_api.deliveries.service import record_outcomes
from publisher_api.erasures.model import ErasureView
from publisher_api.erasures.service import Erasures, erase_some
from publisher_api.outbox.commands import add_command
from publisher_api.principal import command
from publisher_api.settings import Settings
from shared.envelope import Command, Delivery, decode
from tests.conftest import NewDatabase
from tests.factories import make_outcome
from tests.fakes import Clock, MemoryOutcomes
from tests.publisher.sweeping import Sweeping, accept_pending
from transport.port import Received


@dataclass(frozen=True)
class Erasing:
    """A database, a clock, and a worker. ``sweeping`` publishes."""

    sweeping: Sweeping
    clock: Clock
    erasures: Erasures
    inbox: PostgresInbox
    ledger: PostgresLedger

    @classmethod
    @contextmanager
    def of(cls, sweeping: Sweeping) -> Iterator["Erasing"]:
        clock = Clock(datetime.now(UTC))
        table = LedgerTable(sweeping.pool)
        yield cls(
            sweeping,
            clock,
            Erasures(sweeping.pool, clock, new_id, lambda: None),
            PostgresInbox(sweeping.pool),
            PostgresLedger(table, timedelta(minutes=1)),
        )
        table.close()

    def request(self, user_id: str) -> ErasureView:
        """What DELETE answers."""
        return self.erasures.request(user_id, command("tests"))

    def store_profile(self, user_id: str) -> None:
        """Store everything but notifications of a user, whose id is in all of it."""
        user = "insert into users (user_id, email, attributes) values (%s, %s, %s)"
        self.sql(user, user_id, f"{user_id}@x.org", Jsonb({"name": user_id}))
        device = "insert into devices (device_id, user_id, token, platform) values (%s, %s, %s, 'ios')"
        self.sql(device, uuid.uuid4(), user_id, f"token-{user_id}")
        self.sql("insert into preferences (user_id, document) values (%s, '{}')", user_id)
        self.sql("insert into tenant_preferences (user_id, tenant, document) values (%s, 'acme', '{}')", user_id)
        self.sql("insert into limit_buckets values ('user:' || %s, now() + interval '1 day', 1, 1)", user_id)

    def add_repeated(self, message: Command) -> None:
        """Let ``message`` be published once, and wait to be published again."""
        with self.sweeping.pool.connection() as connection:
            add_command(connection, new_id(), message, self.clock())
        self.publish()
        self.take()

    def take(self) -> list[Command]:
        """The commands that are published and not handled yet. They are lost."""
        rows = self.sql("delete from transport.messages where subscription like '%%inapp' returning data")
        messages = [decode(bytes(row["data"])) for row in rows]
        return [message for message in messages if isinstance(message, Command)]

    def steps(self) -> None:
        """Do all steps of erasures that are due now."""
        while erase_some(self.sweeping.pool, self.clock(), new_id):
            pass

    def publish(self) -> None:
        self.sweeping.at(self.clock())

    def work(self, *, except_of: str = "") -> None:
        """Publish, and let the worker handle every message but those of the channel ``except_of``."""
        self.publish()
        outcomes = MemoryOutcomes()
        for row in self.sql("select message_id, subscription, data from transport.messages"):
            message = decode(bytes(row["data"]))
            if isinstance(message, Delivery) and message.channel == except_of:
                continue
            if row["subscription"].endswith("inapp"):
                handle(self._services(outcomes), Received(bytes(row["data"]), attempt=1))
            elif isinstance(message, Delivery):
                ids = {"notification_id": message.notification_id, "delivery_id": message.delivery_id}
                outcomes.publish(make_outcome(**ids, round=message.round, at=self.clock()))
            self.sql("delete from transport.messages where message_id = %s", row["message_id"])
        record_outcomes(self.sweeping.pool, outcomes.published)

    def finish(self) -> None:
        """Let a minute pass, in which everything is done that must be done."""
        for _ in range(8):
            self.steps()
            self.work()
            self.clock.advance(seconds=15)

    def found(self, text: str) -> list[str]:
        """Every table that holds ``text`` anywhere, in any letter case."""
        tables = self.sql(
            "select schemaname, tablename from pg_tables where schemaname in ('public', 'state', 'transport')"
        )
        assert len(tables) > 20
        return [row["tablename"] for row in tables if self._holds(row["schemaname"], row["tablename"], text)]

    def sql(self, statement: str, *parameters: object) -> list[DictRow]:
        return self.sweeping.sql(statement, *parameters)

    def _holds(self, schema: str, table: str, text: str) -> bool:
        # Bytes are shown in hexadecimal.
        statement = sql.SQL("select t::text as row from {} as t").format(sql.Identifier(schema, table))
        with self.sweeping.pool.connection() as connection:
            rows = connection.execute(statement).fetchall()
        return any(each in row["row"].lower() for row in rows for each in (text.lower(), text.encode().hex()))

    def _services(self, outcomes: MemoryOutcomes) -> Services:
        switches = PostgresSwitchStore(self.sweeping.pool)
        return Services(
            ledger=self.ledger,
            outcomes=outcomes,
            record=partial(record, self.ledger, outcomes),
            switches=CachedSwitches(switches.read, lambda: 0.0),
            switch_store=switches,
            inbox=self.inbox,
            now=self.clock,
        )


# Deleting few rows takes less time than truncating tables.
_FILLED = (
    "notifications", "users", "preferences", "tenant_preferences", "event_types", "event_type_versions", "erasures",
    "commands", "command_repeats", "dedup_keys", "transport.messages", "state.inbox", "state.inbox_heads",
    "state.erased", "state.ledger",
)  # fmt: skip


def _empty(sweeping: Sweeping) -> None:
    """Delete what the tests before have stored."""
    for table in _FILLED:
        sweeping.sql(f"delete from {table}")  # noqa: S608 - from the list above
    sweeping.sql("update retention set document = '{}'")


def new_name() -> str:
    """A name that is found in no other row."""
    return f"q{uuid.uuid4().hex}"


@pytest.fixture(scope="module")
def unswept(settings: Settings, new_database: NewDatabase) -> Iterator[Settings]:
    """A database that no publisher sweeps, for the tests of a module. Each test empties it first."""
    with new_database("unswept") as url:
        yield replace(settings, database_url=url)


@pytest.fixture
def erasing(sweeping: Sweeping) -> Iterator[Erasing]:
    _empty(sweeping)
    with Erasing.of(sweeping) as erasing:
        yield erasing


@pytest.fixture
def ada(unswept: Settings, erasing: Erasing) -> str:
    """A user with everything that can be stored of one; their id is in all of it."""
    ada = new_name()
    erasing.store_profile(ada)
    send(unswept, ada, channels=["inapp", "email"], to={"email": f"{ada}@x.org"})
    send(unswept, ada, channels=["email"], to={"email": f"{ada}@x.org"}, dedup_key="invoice-7")
    erasing.work()
    return ada


def send(settings: Settings, user_id: str, **fields: object) -> str:
    return accept_pending(settings, user_id=user_id, payload={"name": user_id}, **fields)
