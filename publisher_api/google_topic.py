"""The topics of the google profile: Pub/Sub, with the publisher's identity."""

from collections.abc import Mapping

from publisher_api.google_identity import credentials_from_env
from publisher_api.outbox.message import encode
from publisher_api.settings import GoogleSettings
from shared.envelope import Message
from shared.lanes import Lane, topic_of
from transport.pubsub import PubSubTopic, topic_path


def notifications_topics(settings: GoogleSettings, environ: Mapping[str, str]) -> dict[Lane, PubSubTopic[Message]]:
    """The topics of deliveries and commands. Raises ``ConfigurationError`` for credentials that cannot be read."""
    credentials = credentials_from_env(environ)
    return {
        lane: PubSubTopic(
            topic_path(settings.project, topic_of(settings.topic, lane)),
            encode,
            emulator_host=environ.get("PUBSUB_EMULATOR_HOST"),
            credentials=credentials,
        )
        for lane in Lane
    }
