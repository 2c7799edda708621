"""The ground the other tests stand on: emulators, topology, database."""

import psycopg
import pytest
from google.cloud import firestore
from google.pubsub_v1 import PublisherClient, SubscriberClient

from local import pubsub_setup as topology
from local.emulators import Emulators
from shared.topology import TOPOLOGY

pytestmark = pytest.mark.emulators


def test_the_topology_can_be_made_in_the_emulator(emulators: Emulators, project: str) -> None:
    topology.create(emulators.pubsub_host, project, topology.IMPATIENT)

    channel = TOPOLOGY["email"]
    with topology.clients(emulators.pubsub_host) as (publisher, subscriber):
        assert len(list(publisher.list_topics(project=f"projects/{project}"))) == len(topology.topics())
        made = subscriber.get_subscription(
            subscription=SubscriberClient.subscription_path(project, channel.subscription)
        )
    assert made.filter == channel.filter
    assert made.retry_policy.minimum_backoff.total_seconds() == pytest.approx(0.2)
    assert made.dead_letter_policy.max_delivery_attempts == 5
    assert made.dead_letter_policy.dead_letter_topic == PublisherClient.topic_path(project, channel.dead_letter_topic)


def test_firestore_keeps_a_document(emulators: Emulators, project: str) -> None:  # noqa: ARG001 - it must run
    client = firestore.Client(project=project)

    client.document("people/ada").create({"name": "Ada"})

    assert client.document("people/ada").get().to_dict() == {"name": "Ada"}


def test_the_database_is_empty_and_ours_alone(postgres_server_url: str) -> None:
    with psycopg.connect(postgres_server_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
