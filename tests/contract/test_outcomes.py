"""The contract of ``OutcomeSink``, for the fake, for Pub/Sub, and for the transport in Postgres."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from functions.google.services import Settings, outcomes_topic
from functions.postgres.ledger import LedgerTable, PostgresLedger
from functions.postgres.recorder import Recorder
from functions.runtime.ledger import Claimed, Finished
from functions.runtime.outcomes import TopicOutcomeSink, encode
from functions.runtime.ports import OutcomeSink
from local.emulators import Emulators
from postgres.pool import Pool, make_pool
from shared import outcomes
from shared.errors import CredentialsRefused, Retryable
from shared.outcomes import Outcome
from shared.reasons import Reason
from shared.topology import OUTCOMES_SUBSCRIPTION, OUTCOMES_TOPIC
from tests.factories import NOON, make_outcome
from tests.fakes import MemoryOutcomes
from transport.postgres import PostgresTopic


@dataclass(frozen=True)
class Publishing:
    """A sink, and a function that waits for that many outcomes behind it."""

    sink: OutcomeSink
    arrived: Callable[[int], list[Outcome]]


def pubsub(host: str, project: str, topic: str = OUTCOMES_TOPIC) -> OutcomeSink:
    return TopicOutcomeSink(outcomes_topic(Settings(project, topic, host)))


def recorder(pool: Pool, ledger: Pool | None = None) -> Recorder:
    """A recorder that publishes over ``pool``, whose ledger is there too unless ``ledger`` is given."""
    return Recorder(LedgerTable(ledger or pool), PostgresTopic(pool, OUTCOMES_TOPIC, encode))


def arrived_in(pool: Pool) -> list[Outcome]:
    """What waits for the publisher."""
    statement = "select data from transport.messages where subscription = %s order by message_id"
    with pool.connection() as connection:
        return [outcomes.decode(row["data"]) for row in connection.execute(statement, [OUTCOMES_SUBSCRIPTION])]


@pytest.fixture(params=["memory", "postgres", pytest.param("pubsub", marks=pytest.mark.emulators)])
def publishing(request: pytest.FixtureRequest) -> Iterator[Publishing]:
    if request.param == "memory":
        memory = MemoryOutcomes()
        yield Publishing(memory, lambda _: memory.published)
    elif request.param == "postgres":
        pool: Pool = request.getfixturevalue("state")
        with pool.connection() as connection:
            connection.execute("delete from transport.messages")
        with closing(recorder(pool)) as sink:
            yield Publishing(sink, lambda _: arrived_in(pool))
    else:
        arrived = request.getfixturevalue("arrived")
        host: str = request.getfixturevalue("emulators").pubsub_host
        yield Publishing(pubsub(host, request.getfixturevalue("project")), arrived)


class TestOutcomeSink:
    def test_published_outcome_arrives(self, publishing: Publishing) -> None:
        outcome = make_outcome(reason=Reason.INVALID_NUMBER, result="failed", detail="✓")
        publishing.sink.publish(outcome)
        assert publishing.arrived(1) == [outcome]

    def test_outcome_that_is_published_twice_arrives_twice(self, publishing: Publishing) -> None:
        outcome = make_outcome()
        publishing.sink.publish(outcome)
        publishing.sink.publish(outcome)
        assert publishing.arrived(2) == [outcome, outcome]


class TestRecorder:
    """What only the recorder of a process does: it finishes claims, and publishes, for many threads at once."""

    @pytest.fixture
    def pool(self, state: Pool) -> Pool:
        with state.connection() as connection:
            connection.execute("delete from transport.messages")
        return state

    def test_claims_of_many_threads_are_finished_and_their_outcomes_published(self, pool: Pool) -> None:
        ledger = PostgresLedger(LedgerTable(pool), timedelta(seconds=90))
        found = [make_outcome(round=0) for _ in range(20)]

        def deliver(outcome: Outcome) -> None:
            claim = ledger.claim(f"{outcome.delivery_id}.0", NOON)
            assert isinstance(claim, Claimed)
            sink.record(claim, outcome)
            assert ledger.claim(claim.key, NOON) == Finished(outcome)

        with closing(recorder(pool)) as sink, ThreadPoolExecutor(8) as threads:
            list(threads.map(deliver, found))
        by_id = {outcome.delivery_id: outcome for outcome in arrived_in(pool)}
        assert by_id == {outcome.delivery_id: outcome for outcome in found}

    def test_an_outcome_is_published_although_the_ledger_is_away(self, pool: Pool) -> None:
        away = make_pool("postgresql://none@127.0.0.1:1/none", 1)  # not open: each call fails at once
        outcome = make_outcome()
        with closing(recorder(pool, ledger=away)) as sink:
            sink.record(Claimed("d.1", unconfirmed_attempts=0, version=1), outcome)
        assert arrived_in(pool) == [outcome]


@pytest.mark.emulators
def test_missing_topic_is_retryable(emulators: Emulators, project: str) -> None:
    with pytest.raises(Retryable, match="NotFound") as caught:
        pubsub(emulators.pubsub_host, project, "missing").publish(make_outcome())
    assert caught.value.reason == Reason.OUTCOMES_UNAVAILABLE


@pytest.mark.emulators
@pytest.mark.usefixtures("arrived")
def test_outcome_that_is_larger_than_pubsub_accepts_is_retryable(emulators: Emulators, project: str) -> None:
    with pytest.raises(Retryable) as caught:
        pubsub(emulators.pubsub_host, project).publish(make_outcome(detail="x" * 10_000_000))
    assert caught.value.reason == Reason.OUTCOMES_UNAVAILABLE


def test_unavailable_pubsub_is_retryable(nowhere: str) -> None:
    with pytest.raises(Retryable, match=r"ServiceUnavailable|RetryError|DeadlineExceeded"):
        pubsub(nowhere, "p").publish(make_outcome())


def test_unavailable_postgres_is_retryable_for_every_thread_that_waits() -> None:
    pool = make_pool("postgresql://none@127.0.0.1:1/none", 1)  # not open: each call fails at once
    sink = recorder(pool)

    def publish(_: int) -> Reason:
        with pytest.raises(Retryable) as caught:
            sink.publish(make_outcome())
        return caught.value.reason

    with closing(sink), ThreadPoolExecutor(4) as threads:
        assert set(threads.map(publish, range(8))) == {Reason.OUTCOMES_UNAVAILABLE}


def test_role_that_may_not_publish_is_refused_and_not_called_unavailable(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as administrator:
        administrator.execute("create role stranger login")
        try:
            with make_pool(make_conninfo(postgres_url, user="stranger"), 1) as pool:
                sink = TopicOutcomeSink(PostgresTopic(pool, OUTCOMES_TOPIC, encode))
                with pytest.raises(CredentialsRefused) as caught:
                    sink.publish(make_outcome())
        finally:
            administrator.execute("drop role stranger")
    assert caught.value.reason == Reason.OUTCOMES_REFUSED
