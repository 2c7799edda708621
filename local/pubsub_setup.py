"""Creates the topics and subscriptions of ``shared.topology`` in the Pub/Sub emulator."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import grpc
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.pubsub_v1.types import DeadLetterPolicy, RetryPolicy
from google.pubsub_v1.types import Subscription as SubscriptionResource

from shared.topology import Subscription, topics

# gRPC shares connections inside a process, and with them the pause after an attempt to connect that failed. A new
# client would fail for a second after the emulator is back.
_OPTIONS = [("grpc.use_local_subchannel_pool", 1)]
_TIMEOUT_SECONDS = 10.0  # for a call without retries: a call to an emulator that was stopped must not block the caller


@contextmanager
def clients(pubsub_host: str) -> Iterator[tuple[PublisherClient, SubscriberClient]]:
    """Clients for the emulator at ``pubsub_host`` (``host:port``), also if PUBSUB_EMULATOR_HOST names another one."""
    with grpc.insecure_channel(pubsub_host, options=_OPTIONS) as connection:
        yield (
            PublisherClient(transport=PublisherGrpcTransport(channel=connection)),
            SubscriberClient(transport=SubscriberGrpcTransport(channel=connection)),
        )


def create(pubsub_host: str, project: str, declared: Iterable[Subscription]) -> None:
    """Create every topic, and the subscriptions ``declared``, in the emulator at ``pubsub_host``.

    ``project`` must have none of them.
    """
    with clients(pubsub_host) as (publisher, subscriber):
        for topic in topics():
            publisher.create_topic(name=publisher.topic_path(project, topic), retry=None, timeout=_TIMEOUT_SECONDS)
        for subscription in declared:
            resource = _resource(subscription, project)
            subscriber.create_subscription(request=resource, retry=None, timeout=_TIMEOUT_SECONDS)


def _resource(subscription: Subscription, project: str) -> SubscriptionResource:
    """The subscription as Pub/Sub's request. A field that is not set gets Pub/Sub's default."""
    resource = SubscriptionResource(
        name=SubscriberClient.subscription_path(project, subscription.name),
        topic=PublisherClient.topic_path(project, subscription.topic),
        filter=subscription.filter,
        ack_deadline_seconds=subscription.ack_deadline_seconds,
    )
    if subscription.backoff_seconds is not None and any(subscription.backoff_seconds):
        shortest, longest = (timedelta(seconds=seconds) for seconds in subscription.backoff_seconds)
        resource.retry_policy = RetryPolicy(minimum_backoff=shortest, maximum_backoff=longest)
    if subscription.dead_letters is not None:
        resource.dead_letter_policy = DeadLetterPolicy(
            dead_letter_topic=PublisherClient.topic_path(project, subscription.dead_letters.topic),
            max_delivery_attempts=subscription.dead_letters.attempts,
        )
    return resource
