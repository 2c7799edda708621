"""The topic over Pub/Sub: what it stores, what it yields, and how it fails."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from google.pubsub_v1 import SubscriberClient

from local.emulators import Emulators
from local.pubsub_setup import clients
from transport.port import Encoded, PublishError, PublishRefused
from transport.pubsub import PubSubTopic, topic_path

pytestmark = pytest.mark.emulators

SMALL = 10
Pulled = Callable[[int], list[str]]


def encoded(message: str) -> Encoded:
    """Pub/Sub refuses the message ``bad``, which has neither data nor attributes."""
    return Encoded(b"", {}) if message == "bad" else Encoded(message.encode(), {"kind": "test"})


@pytest.fixture
def path(project: str) -> str:
    return topic_path(project, "things")


@pytest.fixture
def pulled(emulators: Emulators, project: str, path: str) -> Iterator[Pulled]:
    """The topic, with a subscription; pulls until that many messages have arrived."""
    with clients(emulators.pubsub_host) as (publisher, subscriber):
        publisher.create_topic(name=path)
        kept = SubscriberClient.subscription_path(project, "kept")
        subscriber.create_subscription(name=kept, topic=path)

        def pull(count: int) -> list[str]:
            most = 1000 if count > SMALL else 1  # a client receives at most 4 MB in one answer
            found: list[str] = []
            while len(found) < count:
                batch = subscriber.pull(subscription=kept, max_messages=most, timeout=10).received_messages
                subscriber.acknowledge(subscription=kept, ack_ids=[each.ack_id for each in batch])
                found += [each.message.data.decode() for each in batch]
            return sorted(found)

        yield pull


def test_all_are_stored_and_yielded_in_calls_of_a_thousand(emulators: Emulators, path: str, pulled: Pulled) -> None:
    messages = [f"{number:04}" for number in range(1001)]
    with closing(PubSubTopic(path, encoded, emulator_host=emulators.pubsub_host)) as topic:
        stored = list(topic.publish(messages))
    assert [len(call) for call in stored] == [1000, 1]
    assert [message for call in stored for message in call] == pulled(1001) == messages


def test_a_call_stays_below_the_size_that_pubsub_accepts(emulators: Emulators, path: str, pulled: Pulled) -> None:
    messages = [letter * 4_000_000 for letter in "abc"]
    with closing(PubSubTopic(path, encoded, emulator_host=emulators.pubsub_host)) as topic:
        assert [len(call) for call in topic.publish(messages)] == [2, 1]
    assert pulled(3) == messages


@pytest.mark.parametrize("refused", ["bad", "x" * 9_000_001], ids=["refused by Pub/Sub", "too large"])
def test_a_refused_message_is_not_yielded_and_blocks_no_other(
    emulators: Emulators, path: str, pulled: Pulled, refused: str
) -> None:
    with closing(PubSubTopic(path, encoded, emulator_host=emulators.pubsub_host)) as topic:
        stored = [message for call in topic.publish(["a", refused, "b"]) for message in call]
    assert stored == pulled(2) == ["a", "b"]


def test_a_topic_that_takes_no_message_at_all_refuses_none_of_them(emulators: Emulators, project: str) -> None:
    malformed = f"projects/{project}/topics/"
    topic = PubSubTopic(malformed, encoded, emulator_host=emulators.pubsub_host)
    with closing(topic), pytest.raises(PublishError):
        list(topic.publish(["a", "b"]))


def test_check_publishes_nothing(emulators: Emulators, path: str, pulled: Pulled) -> None:
    with closing(PubSubTopic(path, encoded, emulator_host=emulators.pubsub_host)) as topic:
        topic.check()
        list(topic.publish(["first"]))
    assert pulled(1) == ["first"]


def test_an_unreachable_pubsub_is_a_publish_error(nowhere: str, path: str) -> None:
    with closing(PubSubTopic(path, encoded, emulator_host=nowhere, timeout_seconds=1.0)) as topic:
        for call in (topic.check, lambda: list(topic.publish(["a"]))):
            with pytest.raises(PublishError) as caught:
                call()
            assert not isinstance(caught.value, PublishRefused)


def test_a_topic_that_does_not_exist_is_a_publish_error(emulators: Emulators, path: str) -> None:
    topic = PubSubTopic(path, encoded, emulator_host=emulators.pubsub_host)
    with closing(topic), pytest.raises(PublishError, match="NotFound"):
        list(topic.publish(["a"]))


def test_missing_credentials_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: str) -> None:
    monkeypatch.delenv("PUBSUB_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "missing.json"))
    with closing(PubSubTopic(path, encoded)) as topic, pytest.raises(PublishRefused, match="DefaultCredentialsError"):
        list(topic.publish(["a"]))
