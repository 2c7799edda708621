"""The ports on Google Cloud: ledger, inbox and channel switches in Firestore, outcomes over Pub/Sub."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Self

from google.cloud.firestore import Client

from functions.google.calls import RETRY, TIMEOUT_SECONDS
from functions.google.inbox import FirestoreInbox
from functions.google.ledger import FirestoreLedger
from functions.google.switches import FirestoreSwitchStore
from functions.runtime import outcomes
from functions.runtime.outcomes import TopicOutcomeSink
from functions.runtime.ports import Services
from functions.runtime.recording import record
from functions.runtime.switches import CachedSwitches
from shared.outcomes import Outcome
from shared.topology import OUTCOMES_TOPIC
from transport.pubsub import PubSubTopic, topic_path

REQUIRED = ("GOOGLE_CLOUD_PROJECT",)
"""The environment variables without which ``connect`` cannot be called."""
INBOX_DATABASE = "(default)"
"""The Firestore database that web and mobile clients read."""
LEDGER_DATABASE = "ledger"
"""The Firestore database of the ledger and the channel switches. No client reads it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where a function's state and outcomes go. ``outcomes_topic`` is a short name in ``project``."""

    project: str
    outcomes_topic: str
    pubsub_emulator_host: str | None = None
    inbox_database: str = INBOX_DATABASE
    ledger_database: str = LEDGER_DATABASE

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """Read the settings. ``REQUIRED`` must be set."""
        return cls(
            environ["GOOGLE_CLOUD_PROJECT"],
            environ.get("OUTCOMES_TOPIC") or OUTCOMES_TOPIC,
            environ.get("PUBSUB_EMULATOR_HOST"),
            environ.get("INBOX_DATABASE") or INBOX_DATABASE,
            environ.get("LEDGER_DATABASE") or LEDGER_DATABASE,
        )


def connect(environ: Mapping[str, str], lease: timedelta) -> Services:
    """The ports of one function. Builds the clients; makes no call. ``lease`` is how long a claim holds.

    Every function gets every port. The function's account decides which database it may use
    (``terraform/modules/function/iam.tf``).
    """
    settings = Settings.from_env(environ)
    ledger_client = Client(project=settings.project, database=settings.ledger_database)
    switch_store = FirestoreSwitchStore(ledger_client)
    ledger = FirestoreLedger(ledger_client, lease)
    sink = TopicOutcomeSink(outcomes_topic(settings))
    return Services(
        ledger=ledger,
        outcomes=sink,
        record=partial(record, ledger, sink),
        switches=CachedSwitches(switch_store.read, time.monotonic),
        switch_store=switch_store,
        inbox=FirestoreInbox(Client(project=settings.project, database=settings.inbox_database)),
        now=partial(datetime.now, UTC),
    )


def outcomes_topic(settings: Settings) -> PubSubTopic[Outcome]:
    """The topic on which outcomes are published."""
    return PubSubTopic(
        topic_path(settings.project, settings.outcomes_topic),
        outcomes.encode,
        emulator_host=settings.pubsub_emulator_host,
        timeout_seconds=TIMEOUT_SECONDS,
        retry=RETRY,
    )
