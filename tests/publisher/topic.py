"""Reads what was published, from the emulator."""

import time
from collections.abc import Callable

import grpc
from google.api_core.exceptions import DeadlineExceeded
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from shared.envelope import Command, Delivery, decode

TIMEOUT_SECONDS = 20.0


def waiting_for(condition: Callable[[], object], what: str) -> None:
    """Return when ``condition`` holds; fail with ``what`` if it does not in time."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            message = f"waited {TIMEOUT_SECONDS} s for {what}"
            raise AssertionError(message)
        time.sleep(0.02)


class Inspected:
    """A topic with a subscription that receives everything."""

    def __init__(self, host: str, topic_path: str) -> None:
        channel = grpc.insecure_channel(host)
        self._channel = channel
        self._publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        self._subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        self._topic = topic_path
        self._subscription = topic_path.replace("/topics/", "/subscriptions/") + "-inspected"
        self._seen: list[Delivery | Command] = []

    def make(self) -> None:
        self._publisher.create_topic(name=self._topic)
        self._subscriber.create_subscription(name=self._subscription, topic=self._topic)

    def close(self) -> None:
        self._channel.close()

    def deliveries(self, notification_id: str, count: int = 1) -> list[Delivery]:
        """The messages of a notification, as soon as there are ``count``."""

        def found() -> list[Delivery]:
            return [m for m in self._pulled() if isinstance(m, Delivery) and m.notification_id == notification_id]

        waiting_for(lambda: len(found()) >= count, f"{count} messages of {notification_id}")
        return found()

    def commands(self, user_id: str | None, count: int = 1) -> list[Command]:
        """The commands about a person, as soon as there are ``count``."""

        def found() -> list[Command]:
            return [m for m in self._pulled() if isinstance(m, Command) and m.user_id == user_id]

        waiting_for(lambda: len(found()) >= count, f"{count} commands about {user_id}")
        return found()

    def _pulled(self) -> list[Delivery | Command]:
        try:
            response = self._subscriber.pull(
                subscription=self._subscription,
                max_messages=1000,
                timeout=0.3,
                retry=None,
            )
        except DeadlineExceeded:
            return self._seen
        if response.received_messages:
            self._subscriber.acknowledge(
                subscription=self._subscription,
                ack_ids=[received.ack_id for received in response.received_messages],
            )
            self._seen += [decode(received.message.data) for received in response.received_messages]
        return self._seen
