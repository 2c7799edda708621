"""The fixtures that other tests rely on: emulators with the topology, and an empty, migrated database."""

import psycopg
import pytest
from google.cloud import firestore
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.types import Subscription as SubscriptionResource

from local import postgres, pubsub_setup
from local.emulators import Emulators
from shared.topology import RetryProfile, Subscription, subscriptions, topics


@pytest.mark.emulators
@pytest.mark.parametrize("profile", [RetryProfile.PRODUCTION, RetryProfile.END_TO_END_TEST, RetryProfile.UNIT_TEST])
def test_pubsub_setup_creates_what_the_topology_declares(
    emulators: Emulators, project: str, profile: RetryProfile
) -> None:
    pubsub_setup.create(emulators.pubsub_host, project, subscriptions(profile))

    with pubsub_setup.clients(emulators.pubsub_host) as (publisher, subscriber):
        parent = f"projects/{project}"
        assert {topic.name for topic in publisher.list_topics(project=parent)} == {
            PublisherClient.topic_path(project, topic) for topic in topics()
        }
        created = {each.name: each for each in subscriber.list_subscriptions(project=parent)}
    assert created.keys() == {SubscriberClient.subscription_path(project, each.name) for each in subscriptions()}
    for declared in subscriptions(profile):
        assert_is(declared, created[SubscriberClient.subscription_path(project, declared.name)], project)


def assert_is(declared: Subscription, created: SubscriptionResource, project: str) -> None:
    """Check that the emulator holds a subscription as it is declared; no backoff is Pub/Sub's default."""
    assert created.topic == PublisherClient.topic_path(project, declared.topic)
    assert created.filter == declared.filter
    assert created.ack_deadline_seconds == declared.ack_deadline_seconds
    assert backoff_of(created) == pytest.approx(declared.backoff_seconds or (0, 0))
    if declared.dead_letters is None:
        assert not created.dead_letter_policy.dead_letter_topic
    else:
        topic = PublisherClient.topic_path(project, declared.dead_letters.topic)
        assert created.dead_letter_policy.dead_letter_topic == topic
        assert created.dead_letter_policy.max_delivery_attempts == declared.dead_letters.attempts


def backoff_of(created: SubscriptionResource) -> tuple[float, float]:
    if "retry_policy" not in created:
        return 0, 0
    policy = created.retry_policy
    return policy.minimum_backoff.total_seconds(), policy.maximum_backoff.total_seconds()


@pytest.mark.emulators
def test_firestore_client_uses_the_emulator(emulators: Emulators, project: str) -> None:  # noqa: ARG001 - it must run
    client = firestore.Client(project=project)

    client.document("people/ada").create({"name": "Ada"})

    assert client.document("people/ada").get().to_dict() == {"name": "Ada"}


def test_new_database_is_empty_and_dropped_after_its_block(postgres_server_url: str) -> None:
    with postgres.database(postgres_server_url, "heliograph_test_empty") as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("heliograph_test_empty",)
        assert connection.execute("SELECT count(*) FROM pg_stat_user_tables").fetchone() == (0,)

    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(url)
