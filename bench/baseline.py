"""The baseline: what the emulators take for the same work, with Google's clients and none of our code."""

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from google.cloud.pubsub_v1 import SubscriberClient
from google.cloud.pubsub_v1.subscriber.message import Message
from google.cloud.pubsub_v1.subscriber.scheduler import ThreadScheduler
from google.cloud.pubsub_v1.types import FlowControl
from google.pubsub_v1 import PublisherClient
from google.pubsub_v1.types import PubsubMessage

from local import pubsub_setup
from local.emulators import Emulators

_PUBLISH_BATCH = 500


@dataclass(frozen=True, slots=True)
class BaselineTopic:
    """A topic whose subscriptions receive every message."""

    path: str
    subscriptions: Sequence[str]
    publisher: PublisherClient

    def publish(self, messages: Sequence[bytes]) -> None:
        """Publish all messages, and return when Pub/Sub has stored them."""
        for start in range(0, len(messages), _PUBLISH_BATCH):
            chunk = messages[start : start + _PUBLISH_BATCH]
            self.publisher.publish(topic=self.path, messages=[PubsubMessage(data=data) for data in chunk])


@contextmanager
def baseline_topic(emulators: Emulators, subscriptions: int = 1) -> Iterator[BaselineTopic]:
    """A new topic in the running emulator. It is deleted afterwards."""
    name = f"baseline-{uuid.uuid4().hex[:8]}"
    with pubsub_setup.clients(emulators.pubsub_host) as (publisher, subscriber):
        path = publisher.create_topic(name=publisher.topic_path(emulators.project, name)).name
        paths = [subscriber.subscription_path(emulators.project, f"{name}-{number}") for number in range(subscriptions)]
        for each in paths:
            subscriber.create_subscription(name=each, topic=path, ack_deadline_seconds=60)
        try:
            yield BaselineTopic(path, paths, publisher)
        finally:
            for each in paths:
                subscriber.delete_subscription(subscription=each)
            publisher.delete_topic(topic=path)


@contextmanager
def pulling(topic: BaselineTopic, handle: Callable[[bytes], None], concurrency: int) -> Iterator[None]:
    """Pull every subscription as the push bridge does, and acknowledge each message after ``handle``."""

    def receive(message: Message) -> None:
        handle(message.data)
        message.ack()

    with ExitStack() as open_streams:
        client = open_streams.enter_context(SubscriberClient())
        for path in topic.subscriptions:
            scheduler = ThreadScheduler(ThreadPoolExecutor(concurrency))
            limits = FlowControl(max_messages=concurrency)
            stream = client.subscribe(path, receive, flow_control=limits, scheduler=scheduler)
            open_streams.callback(_end, stream.cancel, stream.result)
        yield


def _end(cancel: Callable[[], object], result: Callable[[], object]) -> None:
    cancel()
    result()


def drain_rate(emulators: Emulators, messages: Sequence[bytes], subscriptions: int, concurrency: int) -> float:
    """The messages per second with which every subscription pulls and acknowledges all of ``messages``."""
    expected = len(messages) * subscriptions
    handled, lock, done = [0], threading.Lock(), threading.Event()

    def count(_data: bytes) -> None:
        with lock:
            handled[0] += 1
            if handled[0] == expected:
                done.set()

    with baseline_topic(emulators, subscriptions) as topic:
        topic.publish(messages)
        began = time.monotonic()
        with pulling(topic, count, concurrency):
            done.wait()
            seconds = time.monotonic() - began
    return len(messages) / seconds
