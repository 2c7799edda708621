"""The topics and subscriptions of ``shared.topology``, and how to make them in an emulator.

Every name, filter and policy is derived there; here they only become Pub/Sub's own requests.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import grpc
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.pubsub_v1.types import DeadLetterPolicy, RetryPolicy
from google.pubsub_v1.types import Subscription as SubscriptionResource

from shared.topology import (
    NOTIFICATIONS_TOPIC,
    OUTCOMES_DEAD_LETTER_SUBSCRIPTION,
    OUTCOMES_DEAD_LETTER_TOPIC,
    OUTCOMES_SUBSCRIPTION,
    OUTCOMES_TOPIC,
    TOPOLOGY,
    ChannelTopology,
)

_MOST_ATTEMPTS = 100
_CALL_SECONDS = 10.0  # and no retries: an emulator that was ended shall not be waited for
_DEFAULT_ACK_DEADLINE_SECONDS = 60
_DEFAULT_CONCURRENCY = 32
_DEFAULT_BACKOFF_SECONDS = (10.0, 600.0)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to keep trying, beside what is declared: a factor on every backoff, and a cap on attempts (5 to 100).

    The emulator's own shortest backoff is about 2 s; with factor 0 there is none, and it tries again after 50 ms.
    """

    factor: float = 1.0
    attempts: int = _MOST_ATTEMPTS


PATIENT = Patience()
BRISK = Patience(factor=0.05, attempts=10)
"""For a person who watches: minutes become seconds."""
IMPATIENT = Patience(factor=0.02, attempts=5)
"""For tests of the whole path: a message is given up after about 7 s, which leaves time to restart a part."""
HASTY = Patience(factor=0, attempts=5)
"""For tests of one part: given up after a quarter of a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One subscription, with short names. Without ``dead_letter_topic`` it tries until the message is too old.

    ``concurrency`` is how many pushes may be in flight at once.
    """

    name: str
    topic: str
    ack_deadline_seconds: int = _DEFAULT_ACK_DEADLINE_SECONDS
    backoff_seconds: tuple[float, float] = _DEFAULT_BACKOFF_SECONDS
    filter: str = ""
    dead_letter_topic: str | None = None
    attempts: int = _MOST_ATTEMPTS
    concurrency: int = _DEFAULT_CONCURRENCY


def topics(channels: Mapping[str, ChannelTopology] = TOPOLOGY) -> list[str]:
    """The short names of all topics."""
    return [
        NOTIFICATIONS_TOPIC,
        OUTCOMES_TOPIC,
        OUTCOMES_DEAD_LETTER_TOPIC,
        *(channel.dead_letter_topic for channel in channels.values()),
    ]


def subscriptions(
    patience: Patience = PATIENT, channels: Mapping[str, ChannelTopology] = TOPOLOGY
) -> list[Subscription]:
    """All subscriptions: two a channel (its messages, and those it gave up on), and the way home for outcomes."""
    default_backoff = _scaled(_DEFAULT_BACKOFF_SECONDS, patience)
    found = [
        Subscription(
            name=OUTCOMES_SUBSCRIPTION,
            topic=OUTCOMES_TOPIC,
            backoff_seconds=default_backoff,
            dead_letter_topic=OUTCOMES_DEAD_LETTER_TOPIC,
        ),
        Subscription(name=OUTCOMES_DEAD_LETTER_SUBSCRIPTION, topic=OUTCOMES_DEAD_LETTER_TOPIC),
    ]
    for channel in channels.values():
        found += [
            Subscription(
                name=channel.subscription,
                topic=NOTIFICATIONS_TOPIC,
                filter=channel.filter,
                ack_deadline_seconds=channel.ack_deadline_seconds,
                backoff_seconds=_scaled(channel.backoff_seconds, patience),
                dead_letter_topic=channel.dead_letter_topic,
                attempts=min(channel.attempts, patience.attempts),
                concurrency=channel.concurrency,
            ),
            Subscription(
                name=channel.dead_letter_subscription, topic=channel.dead_letter_topic, backoff_seconds=default_backoff
            ),
        ]
    return found


@contextmanager
def clients(pubsub_host: str) -> Iterator[tuple[PublisherClient, SubscriberClient]]:
    """Pub/Sub's plain clients for the emulator at ``pubsub_host``, whatever the environment says."""
    with grpc.insecure_channel(pubsub_host) as connection:
        yield (
            PublisherClient(transport=PublisherGrpcTransport(channel=connection)),
            SubscriberClient(transport=SubscriberGrpcTransport(channel=connection)),
        )


def create(pubsub_host: str, project: str, patience: Patience = PATIENT) -> None:
    """Make all of it in the emulator at ``pubsub_host`` (``host:port``). ``project`` must not hold any of it yet."""
    with clients(pubsub_host) as (publisher, subscriber):
        for topic in topics():
            publisher.create_topic(name=publisher.topic_path(project, topic), retry=None, timeout=_CALL_SECONDS)
        for subscription in subscriptions(patience):
            resource = _resource(subscription, project)
            subscriber.create_subscription(request=resource, retry=None, timeout=_CALL_SECONDS)


def _resource(subscription: Subscription, project: str) -> SubscriptionResource:
    shortest, longest = (timedelta(seconds=seconds) for seconds in subscription.backoff_seconds)
    resource = SubscriptionResource(
        name=SubscriberClient.subscription_path(project, subscription.name),
        topic=PublisherClient.topic_path(project, subscription.topic),
        ack_deadline_seconds=subscription.ack_deadline_seconds,
        filter=subscription.filter,
    )
    if longest:
        resource.retry_policy = RetryPolicy(minimum_backoff=shortest, maximum_backoff=longest)
    if subscription.dead_letter_topic is not None:
        resource.dead_letter_policy = DeadLetterPolicy(
            dead_letter_topic=PublisherClient.topic_path(project, subscription.dead_letter_topic),
            max_delivery_attempts=subscription.attempts,
        )
    return resource


def _scaled(seconds: tuple[float, float], patience: Patience) -> tuple[float, float]:
    return (seconds[0] * patience.factor, seconds[1] * patience.factor)
