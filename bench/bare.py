"""The emulators' own bare paths, to hold ours against: nothing but Google's clients and the topology's shape."""

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

from local import topology
from local.emulators import Emulators

_PUBLISH_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class BareTopic:
    """A topic with subscriptions that see every message of it."""

    path: str
    subscriptions: Sequence[str]
    publisher: PublisherClient

    def publish(self, messages: Sequence[bytes]) -> None:
        """Return when Pub/Sub has them all."""
        for start in range(0, len(messages), _PUBLISH_AT_ONCE):
            chunk = messages[start : start + _PUBLISH_AT_ONCE]
            self.publisher.publish(topic=self.path, messages=[PubsubMessage(data=data) for data in chunk])


@contextmanager
def bare_topic(where: Emulators, subscriptions: int = 1) -> Iterator[BareTopic]:
    """A topic of its own in the running emulator, gone afterwards."""
    name = f"bare-{uuid.uuid4().hex[:8]}"
    with topology.clients(where.pubsub_host) as (publisher, subscriber):
        path = publisher.create_topic(name=publisher.topic_path(where.project, name)).name
        paths = [subscriber.subscription_path(where.project, f"{name}-{number}") for number in range(subscriptions)]
        for each in paths:
            subscriber.create_subscription(name=each, topic=path, ack_deadline_seconds=60)
        try:
            yield BareTopic(path, paths, publisher)
        finally:
            for each in paths:
                subscriber.delete_subscription(subscription=each)
            publisher.delete_topic(topic=path)


@contextmanager
def pulling(topic: BareTopic, handle: Callable[[bytes], None], concurrency: int) -> Iterator[None]:
    """Pull every subscription, as the push bridge does; what was handled is acknowledged."""

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


def drain_rate(where: Emulators, messages: Sequence[bytes], subscriptions: int, concurrency: int) -> float:
    """Messages a second until each of ``subscriptions`` has pulled and acknowledged every one of ``messages``."""
    everything = len(messages) * subscriptions
    seen, lock, done = [0], threading.Lock(), threading.Event()

    def count(_data: bytes) -> None:
        with lock:
            seen[0] += 1
            if seen[0] == everything:
                done.set()

    with bare_topic(where, subscriptions) as topic:
        topic.publish(messages)
        began = time.monotonic()
        with pulling(topic, count, concurrency):
            done.wait()
            took = time.monotonic() - began
    return len(messages) / took
