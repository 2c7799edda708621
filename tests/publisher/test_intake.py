"""The intake: outcomes come from the transport's queue in batches, and none is lost."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from functions.runtime.outcomes import encode
from postgres.pool import Pool, address_of, fetch_one, make_pool
from publisher_api.deliveries.intake import Intake
from publisher_api.settings import Settings
from shared.log_events import LogEvent
from shared.outcomes import Outcome
from shared.profile import Profile
from shared.topology import OUTCOMES_DEAD_LETTER_SUBSCRIPTION, OUTCOMES_SUBSCRIPTION, OUTCOMES_TOPIC, subscriptions
from tests.contract.transports import as_it_is
from tests.killable_postgres import killable_postgres
from tests.publisher.running import outcome_of
from tests.publisher.sweeping import Sweeping, accept_pending
from tests.publisher.topic import waiting_for
from transport.port import Encoded
from transport.postgres import PostgresTransport
from transport.postgres_wakeups import CHANNEL


def publish(transport: PostgresTransport, *messages: Outcome | bytes) -> None:
    """Publish outcomes, or raw bytes in their place."""
    encoded = [encode(each) if isinstance(each, Outcome) else Encoded(each, {}) for each in messages]
    topic = transport.topic(OUTCOMES_TOPIC, as_it_is)
    assert [each for stored in topic.publish(encoded) for each in stored] == encoded


@contextmanager
def taking(transport: PostgresTransport, pool: Pool) -> Iterator[Intake]:
    intake = Intake(transport, pool)
    intake.start()
    try:
        yield intake
    finally:
        intake.stop()


def queued(pool: Pool, subscription: str = OUTCOMES_SUBSCRIPTION) -> list[bytes]:
    with pool.connection() as connection:
        rows = connection.execute("select data from transport.messages where subscription = %s", [subscription])
        return [bytes(row["data"]) for row in rows]


def results(pool: Pool) -> list[str]:
    with pool.connection() as connection:
        rows = connection.execute("select result from delivery_events order by at, event_id").fetchall()
        return [row["result"] for row in rows]


@pytest.fixture
def transport(unswept: Settings, sweeping: Sweeping) -> Iterator[PostgresTransport]:
    transport = PostgresTransport(sweeping.pool, unswept.database_url)
    yield transport
    transport.close()


@pytest.fixture
def delivery_id(unswept: Settings, sweeping: Sweeping) -> str:
    """A delivery that is accepted, and not published."""
    accept_pending(unswept)
    [row] = sweeping.sql("select delivery_id::text from deliveries")
    found: str = row["delivery_id"]
    return found


def many(delivery_id: str, count: int) -> Sequence[Outcome]:
    return [outcome_of(delivery_id, "attempt", number) for number in range(count)]


def test_outcomes_that_have_queued_are_all_recorded_and_leave_the_queue(
    unswept: Settings, sweeping: Sweeping, transport: PostgresTransport
) -> None:
    notifications = [accept_pending(unswept) for _ in range(30)]
    ids = [row["delivery_id"] for row in sweeping.sql("select delivery_id::text from deliveries")]
    publish(transport, *(outcome_of(each, "sent") for each in ids), *many(ids[0], 600))
    with taking(transport, sweeping.pool):
        waiting_for(lambda: not queued(sweeping.pool), "every outcome to be settled")
    assert len(ids) == len(notifications)
    assert {row["status"] for row in sweeping.sql("select status from deliveries")} == {"sent"}
    assert sorted(results(sweeping.pool)) == ["attempt"] * 600 + ["sent"] * len(ids)


def test_outcomes_that_have_queued_are_recorded_in_one_transaction(
    unswept: Settings, sweeping: Sweeping, transport: PostgresTransport
) -> None:
    for _ in range(20):
        accept_pending(unswept)
    ids = [row["delivery_id"] for row in sweeping.sql("select delivery_id::text from deliveries")]
    publish(transport, *(outcome_of(each, "sent") for each in ids))
    with taking(transport, sweeping.pool):
        waiting_for(lambda: not queued(sweeping.pool), "every outcome to be settled")
    assert [row["count"] for row in sweeping.sql("select count(*) from deliveries group by xmin::text")] == [20]


def test_an_outcome_that_cannot_be_decoded_is_buried_and_holds_up_no_other(
    sweeping: Sweeping, transport: PostgresTransport, delivery_id: str
) -> None:
    publish(transport, b"{", outcome_of(delivery_id, "sent"), b'{"result": "unheard of"}')
    with taking(transport, sweeping.pool):
        waiting_for(lambda: not queued(sweeping.pool), "every outcome to be settled")
    assert results(sweeping.pool) == ["sent"]
    assert sorted(queued(sweeping.pool, OUTCOMES_DEAD_LETTER_SUBSCRIPTION)) == [b"{", b'{"result": "unheard of"}']
    assert OUTCOMES_DEAD_LETTER_SUBSCRIPTION == "delivery-outcomes-dead-kept"


def test_an_outcome_that_postgres_refuses_comes_again_and_holds_up_no_other(
    sweeping: Sweeping, transport: PostgresTransport, delivery_id: str
) -> None:
    refused = outcome_of(delivery_id, "attempt", detail="a NUL \x00, which no text in Postgres may contain")
    publish(transport, outcome_of(delivery_id, "attempt", 1), refused, outcome_of(delivery_id, "sent", 2))
    with taking(transport, sweeping.pool):
        waiting_for(lambda: len(queued(sweeping.pool)) == 1, "the other outcomes to be settled")
        assert results(sweeping.pool) == ["attempt", "sent"]
        [waiting] = sweeping.sql(
            "select attempts, visible_at > now() + interval '5 s' as later from transport.messages"
        )
        assert waiting == {"attempts": 1, "later": True}
        (subscription,) = (each for each in subscriptions() if each.name == OUTCOMES_SUBSCRIPTION)
        assert subscription.dead_letters
        last = subscription.dead_letters.attempts - 1
        sweeping.sql("update transport.messages set visible_at = now(), attempts = %s", last)
        sweeping.sql("select pg_notify(%s, %s)", CHANNEL, OUTCOMES_SUBSCRIPTION)
        waiting_for(lambda: not queued(sweeping.pool), "the last attempt to end")
    assert queued(sweeping.pool, OUTCOMES_DEAD_LETTER_SUBSCRIPTION) == [encode(refused).data]


def test_stopping_records_and_settles_what_was_taken(
    unswept: Settings, sweeping: Sweeping, transport: PostgresTransport, delivery_id: str
) -> None:
    with psycopg.connect(unswept.database_url) as blocker:
        blocker.execute("lock table delivery_events in exclusive mode")
        with taking(transport, sweeping.pool) as intake:
            publish(transport, outcome_of(delivery_id, "sent"))
            taken = "select from transport.messages where attempts = 1"
            waiting_for(lambda: sweeping.sql(taken), "the outcome to be taken")
            stopping = threading.Thread(target=intake.stop)
            stopping.start()
            time.sleep(0.3)
            assert stopping.is_alive(), "it waits for what it has taken"
            blocker.rollback()
            stopping.join()
            assert (results(sweeping.pool), queued(sweeping.pool)) == (["sent"], [])


def test_an_intake_that_stopped_takes_nothing(
    sweeping: Sweeping, transport: PostgresTransport, delivery_id: str
) -> None:
    with taking(transport, sweeping.pool):
        pass
    publish(transport, outcome_of(delivery_id, "sent"))
    time.sleep(0.5)
    assert len(queued(sweeping.pool)) == 1
    assert sweeping.sql("select distinct attempts from transport.messages") == [{"attempts": 0}]


def delivery_on(pool: Pool, profile: Profile) -> str:
    """The id of a delivery that is accepted on the server of ``pool``."""
    accept_pending(Settings(database_url=address_of(pool), profile=profile))
    with pool.connection() as connection:
        return str(fetch_one(connection.execute("select delivery_id from deliveries"))["delivery_id"])


def test_outcomes_are_recorded_after_postgres_has_restarted(
    server_directory: Path, tmp_path: Path, settings: Settings
) -> None:
    with killable_postgres(server_directory, tmp_path / "postgres.log") as server, make_pool(server.url, 2) as pool:
        delivery_id = delivery_on(pool, settings.profile)
        transport = PostgresTransport(pool, server.url)
        with taking(transport, pool):
            publish(transport, outcome_of(delivery_id, "attempt"))
            waiting_for(lambda: results(pool) == ["attempt"], "the first outcome to be recorded")
            server.kill()
            server.restart()
            pool.check()  # so that publishing meets no dead connection; the intake finds its own
            publish(transport, outcome_of(delivery_id, "sent", 1))
            waiting_for(lambda: results(pool) == ["attempt", "sent"], "the second outcome to be recorded")
        transport.close()


def test_outcomes_taken_while_postgres_is_away_are_recorded_when_it_is_back(
    server_directory: Path,
    tmp_path: Path,
    sweeping: Sweeping,
    transport: PostgresTransport,
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    # The transport has a server of its own here, as in the profiles redis and rabbitmq.
    with killable_postgres(server_directory, tmp_path / "postgres.log") as server, make_pool(server.url, 2) as pool:
        outcome = outcome_of(delivery_on(pool, settings.profile), "sent")
        server.kill()
        with taking(transport, pool):
            publish(transport, outcome)
            failed = LogEvent.OUTCOMES_INTAKE_FAILED.value
            waiting_for(
                lambda: failed in [vars(record).get("event") for record in caplog.records],
                "an attempt to record the outcome to fail",
            )
            server.restart()
            pool.check()
            waiting_for(lambda: results(pool) == ["sent"], "the outcome to be recorded")
            waiting_for(lambda: not queued(sweeping.pool), "the outcome to be settled")


def test_intake_stops_while_postgres_is_away(
    server_directory: Path, tmp_path: Path, sweeping: Sweeping, transport: PostgresTransport, settings: Settings
) -> None:
    with killable_postgres(server_directory, tmp_path / "postgres.log") as server, make_pool(server.url, 2) as pool:
        outcome = outcome_of(delivery_on(pool, settings.profile), "sent")
        others = set(threading.enumerate())  # applications of other tests may run
        server.kill()
        with taking(transport, pool):
            publish(transport, outcome)
            taken = "select from transport.messages where attempts = 1"
            waiting_for(lambda: sweeping.sql(taken), "the outcome to be taken")
        # ``stop`` waits for the thread for longer than one attempt to record takes.
        assert "intake" not in {thread.name for thread in set(threading.enumerate()) - others}
        assert queued(sweeping.pool) == [encode(outcome).data]
        server.restart()
