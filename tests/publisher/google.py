"""The publisher's counterparts in the google profile: a topic in the Pub/Sub emulator, and pushes to the publisher."""

import base64
import time
import uuid

import grpc
import httpx
from google.api_core.exceptions import DeadlineExceeded
from google.pubsub_v1 import PublisherClient, SubscriberClient
from google.pubsub_v1.services.publisher.transports import PublisherGrpcTransport
from google.pubsub_v1.services.subscriber.transports import SubscriberGrpcTransport

from local.tokens import Signer
from publisher_api.settings import GoogleSettings, Settings
from shared.envelope import Message, decode
from shared.lanes import Lane, topic_of
from shared.outcomes import Outcome, encode
from shared.profile import Profile
from tests.publisher.own_inbox import INBOX
from tests.publisher.topic import Inspected

AUDIENCE = "https://publisher.test/internal/outcomes"
SERVICE_ACCOUNT = "push@project.iam.gserviceaccount.com"


def google_settings(database_url: str, certs_url: str) -> Settings:
    """The settings of a publisher in a project of its own."""
    google = GoogleSettings(
        project=f"publisher-{uuid.uuid4().hex[:8]}",
        push_audience=AUDIENCE,
        push_service_account=SERVICE_ACCOUNT,
        certs_url=certs_url,
    )
    return Settings(database_url=database_url, profile=Profile.GOOGLE, google=google, inbox=INBOX)


def push(publisher_url: str, data: bytes, token: str) -> httpx.Response:
    """Push ``data`` to the publisher as Pub/Sub does; without a token if it is empty."""
    body = {"message": {"data": base64.b64encode(data).decode(), "messageId": "1"}, "subscription": "s"}
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.post(f"{publisher_url}/internal/outcomes", json=body, headers=headers)


class Pusher:
    """Reports outcomes as Pub/Sub pushes them, with tokens that ``signer`` signs."""

    def __init__(self, publisher_url: str, signer: Signer) -> None:
        self._url = publisher_url
        self._signer = signer

    def __call__(self, outcome: Outcome) -> None:
        token = self._signer.token(AUDIENCE, time.time())
        assert push(self._url, encode(outcome), token).status_code == 204


class InspectedPubSub(Inspected):
    """The topics of the lanes in the emulator, each with a subscription that receives everything."""

    def __init__(self, host: str, topic_path: str) -> None:
        channel = grpc.insecure_channel(host)
        self._channel = channel
        self._publisher = PublisherClient(transport=PublisherGrpcTransport(channel=channel))
        self._subscriber = SubscriberClient(transport=SubscriberGrpcTransport(channel=channel))
        self._topics = [topic_of(topic_path, lane) for lane in Lane]
        self._subscriptions = [f"{topic.replace('/topics/', '/subscriptions/')}-inspected" for topic in self._topics]
        self._seen: list[Message] = []

    def make(self) -> None:
        for topic, subscription in zip(self._topics, self._subscriptions, strict=True):
            self._publisher.create_topic(name=topic)
            self._subscriber.create_subscription(name=subscription, topic=topic)

    def close(self) -> None:
        self._channel.close()

    def messages(self, notification_id: str | None = None) -> list[Message]:  # noqa: ARG002 - all are pulled
        for subscription in self._subscriptions:
            self._pull(subscription)
        return self._seen

    def _pull(self, subscription: str) -> None:
        try:
            response = self._subscriber.pull(subscription=subscription, max_messages=1000, timeout=0.3, retry=None)
        except DeadlineExceeded:
            return
        if response.received_messages:
            self._subscriber.acknowledge(
                subscription=subscription, ack_ids=[received.ack_id for received in response.received_messages]
            )
            self._seen += [decode(received.message.data) for received in response.received_messages]
