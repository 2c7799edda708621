"""Lists the topics and subscriptions of a project in Pub/Sub."""

from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport
from google.pubsub_v1.types import Subscription as Resource

from doctor.facts import Topology
from doctor.topology import Push, PushSubscription
from shared.topology import DeadLetters

_TIMEOUT_SECONDS = 10.0


def read_pubsub(project: str, emulator: str | None) -> Topology:
    """Raises ``GoogleAPICallError`` or ``GoogleAuthError``."""
    with _clients(emulator) as (publisher, subscriber):
        topics = publisher.list_topics(project=f"projects/{project}", retry=None, timeout=_TIMEOUT_SECONDS)
        subscriptions = subscriber.list_subscriptions(
            project=f"projects/{project}", retry=None, timeout=_TIMEOUT_SECONDS
        )
        found = [_subscription(resource) for resource in subscriptions]
        return Topology(frozenset(_short_name(topic.name) for topic in topics), {each.name: each for each in found})


@contextmanager
def _clients(emulator: str | None) -> Iterator[tuple[PublisherClient, SubscriberClient]]:
    if emulator is None:
        with PublisherClient() as publisher, SubscriberClient() as subscriber:
            yield publisher, subscriber
        return
    with grpc.insecure_channel(emulator) as channel:
        yield (
            PublisherClient(transport=PublisherGrpcTransport(channel=channel)),
            SubscriberClient(transport=SubscriberGrpcTransport(channel=channel)),
        )


def _subscription(resource: Resource) -> PushSubscription:
    retry, dead, push = resource.retry_policy, resource.dead_letter_policy, resource.push_config
    return PushSubscription(
        name=_short_name(resource.name),
        topic=_short_name(resource.topic),
        filter=resource.filter,
        ack_deadline_seconds=resource.ack_deadline_seconds,
        backoff_seconds=(retry.minimum_backoff.total_seconds(), retry.maximum_backoff.total_seconds())
        if "retry_policy" in resource
        else None,
        dead_letters=DeadLetters(_short_name(dead.dead_letter_topic), dead.max_delivery_attempts)
        if "dead_letter_policy" in resource
        else None,
        push=Push(push.push_endpoint, push.oidc_token.audience, push.oidc_token.service_account_email)
        if push.push_endpoint
        else None,
    )


def _short_name(path: str) -> str:
    return path.rpartition("/")[2]
