"""The outcome publisher's contract, held by the real one and by the fake alike."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from google.pubsub_v1 import PublisherClient, SubscriberClient

from functions.runtime.outcomes import OutcomePublisher, PubSubOutcomes
from local import topology
from local.emulators import Emulators
from shared import outcomes
from shared.errors import Retryable
from shared.outcomes import Outcome
from tests.factories import make_outcome
from tests.fakes import MemoryOutcomes


@dataclass(frozen=True)
class Topic:
    """A publisher, and a look at what has arrived behind it."""

    publisher: OutcomePublisher
    arrived: Callable[[], list[Outcome]]


@pytest.fixture(params=["memory", pytest.param("pubsub", marks=pytest.mark.emulators)])
def topic(request: pytest.FixtureRequest) -> Topic:
    if request.param == "memory":
        memory = MemoryOutcomes()
        return Topic(memory, lambda: memory.published)
    host = request.getfixturevalue("emulators").pubsub_host
    project: str = request.getfixturevalue("project")
    with topology.clients(host) as (publisher, subscriber):
        name = publisher.create_topic(name=PublisherClient.topic_path(project, "out")).name
        subscriber.create_subscription(name=SubscriberClient.subscription_path(project, "out-kept"), topic=name)

    def arrived() -> list[Outcome]:
        with topology.clients(host) as (_, subscriber):
            path = SubscriberClient.subscription_path(project, "out-kept")
            pulled = subscriber.pull(subscription=path, max_messages=10).received_messages
        return [outcomes.decode(each.message.data) for each in pulled]

    return Topic(PubSubOutcomes.connect(project, "out", host), arrived)


def test_what_was_published_is_there(topic: Topic) -> None:
    outcome = make_outcome(reason="invalid_number", result="failed")
    topic.publisher.publish(outcome)
    assert topic.arrived() == [outcome]


@pytest.mark.emulators
def test_a_topic_that_is_not_there_is_retryable(emulators: Emulators, project: str) -> None:
    with pytest.raises(Retryable, match="NotFound"):
        PubSubOutcomes.connect(project, "nowhere", emulators.pubsub_host).publish(make_outcome())
