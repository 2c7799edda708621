"""The topic of the google profile: Pub/Sub, with the publisher's identity."""

from collections.abc import Mapping

from publisher_api.google_identity import credentials_from_env
from publisher_api.outbox.message import encode
from publisher_api.settings import GoogleSettings
from shared.envelope import Message
from transport.pubsub import PubSubTopic, topic_path


def notifications_topic(settings: GoogleSettings, environ: Mapping[str, str]) -> PubSubTopic[Message]:
    """The topic of deliveries and commands. Raises ``ConfigurationError`` for credentials that cannot be read."""
    return PubSubTopic(
        topic_path(settings.project, settings.topic),
        encode,
        emulator_host=environ.get("PUBSUB_EMULATOR_HOST"),
        credentials=credentials_from_env(environ),
    )
