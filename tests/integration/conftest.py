from collections.abc import Callable, Iterator

import psycopg
import pytest
from google.cloud.firestore import Client
from google.pubsub_v1 import PublisherClient, SubscriberClient
from psycopg.conninfo import make_conninfo

from local.config import WORKER_ROLE
from local.emulators import Emulators
from local.processes import free_port
from local.pubsub_setup import clients
from postgres.pool import Pool, make_pool
from shared import outcomes
from shared.outcomes import Outcome
from shared.topology import OUTCOMES_TOPIC

Arrived = Callable[[int], list[Outcome]]
"""Waits for that many new outcomes and returns them."""


@pytest.fixture
def nowhere() -> str:
    """An address where nothing listens."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture
def firestore(project: str) -> Client:
    return Client(project=project)


@pytest.fixture(scope="session")
def worker_pool(postgres_url: str) -> Iterator[Pool]:
    """Connections with the role of the worker, which may touch the schemas ``transport`` and ``state`` only."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute(f"alter role {WORKER_ROLE} login")
    with make_pool(make_conninfo(postgres_url, user=WORKER_ROLE), 8) as pool:
        yield pool


@pytest.fixture
def state(worker_pool: Pool, postgres_url: str) -> Pool:
    """``worker_pool``, while the schema ``state`` is empty."""
    with psycopg.connect(postgres_url) as connection:
        connection.execute("truncate state.ledger, state.switches, state.inbox")
    return worker_pool


@pytest.fixture
def arrived(emulators: Emulators, project: str) -> Iterator[Arrived]:
    """The topic of outcomes in the Pub/Sub emulator, with a subscription that keeps them."""
    with clients(emulators.pubsub_host) as (publisher, subscriber):
        topic = publisher.create_topic(name=PublisherClient.topic_path(project, OUTCOMES_TOPIC)).name
        kept = SubscriberClient.subscription_path(project, "kept")
        subscriber.create_subscription(name=kept, topic=topic)

        def pull(count: int) -> list[Outcome]:
            found: list[Outcome] = []
            while len(found) < count:
                pulled = subscriber.pull(subscription=kept, max_messages=10, timeout=10).received_messages
                subscriber.acknowledge(subscription=kept, ack_ids=[each.ack_id for each in pulled])
                found += [outcomes.decode(each.message.data) for each in pulled]
            return found

        yield pull
