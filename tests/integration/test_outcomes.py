"""The contract of ``OutcomeSink``, for the fake and for Pub/Sub."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from functions.google.services import Settings, outcomes_topic
from functions.runtime.outcomes import TopicOutcomeSink
from functions.runtime.ports import OutcomeSink
from local.emulators import Emulators
from shared.errors import Retryable
from shared.outcomes import Outcome
from shared.reasons import Reason
from shared.topology import OUTCOMES_TOPIC
from tests.factories import make_outcome
from tests.fakes import MemoryOutcomes


@dataclass(frozen=True)
class Publishing:
    """A sink, and a function that waits for that many outcomes behind it."""

    sink: OutcomeSink
    arrived: Callable[[int], list[Outcome]]


def pubsub(host: str, project: str, topic: str = OUTCOMES_TOPIC) -> OutcomeSink:
    return TopicOutcomeSink(outcomes_topic(Settings(project, topic, host)))


@pytest.fixture(params=["memory", pytest.param("pubsub", marks=pytest.mark.emulators)])
def publishing(request: pytest.FixtureRequest) -> Publishing:
    if request.param == "memory":
        memory = MemoryOutcomes()
        return Publishing(memory, lambda _: memory.published)
    arrived = request.getfixturevalue("arrived")
    host: str = request.getfixturevalue("emulators").pubsub_host
    return Publishing(pubsub(host, request.getfixturevalue("project")), arrived)


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
