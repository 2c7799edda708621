"""Where a function's parts are put together, on its first request."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Self

from google.cloud.firestore import Client

from functions.runtime.deliver import Parts, deliver
from functions.runtime.environment import Settings
from functions.runtime.failover import Breaker, Failover, Party, the_provider_alone
from functions.runtime.lazy import Lazy
from functions.runtime.ledger import FirestoreLedger, Ledger
from functions.runtime.outcomes import PubSubOutcomes
from functions.runtime.provider import Adapter, Provider
from functions.runtime.push import Handler, Push
from functions.runtime.switchboard import Switchboard, read_table
from shared import envelope, logs
from shared.envelope import Delivery
from shared.errors import Undecodable
from shared.topology import TOPOLOGY


@dataclass(frozen=True, slots=True)
class Connections:
    """The clients that every function has."""

    settings: Settings
    firestore: Client
    outcomes: PubSubOutcomes

    @classmethod
    def open(cls, environ: Mapping[str, str], required: Sequence[str] = ()) -> Self:
        """Read the settings and make the clients (nothing is sent yet). Raises ``ConfigurationError``."""
        logs.configure()
        settings = Settings.from_env(environ, required)
        outcomes = PubSubOutcomes.connect(settings.project, settings.outcomes_topic, settings.pubsub_emulator_host)
        return cls(settings, Client(project=settings.project), outcomes)

    def ledger(self, kind: str) -> FirestoreLedger:
        lease = self.settings.lease_seconds or TOPOLOGY[kind].lease_seconds
        return FirestoreLedger(self.firestore, timedelta(seconds=lease))

    def parts(self, provider: Provider, ledger: Ledger) -> Parts:
        switchboard = Switchboard(partial(read_table, self.firestore), time.monotonic)
        return Parts(provider, ledger, switchboard, self.outcomes, now)


def now() -> datetime:
    return datetime.now(UTC)


def channel(
    kind: str, adapters: Sequence[type[Adapter]], environ: Mapping[str, str], party: Party = the_provider_alone
) -> Lazy[Handler]:
    """The function of the channel ``kind``, with its providers in their usual order; ``party`` as in ``Breaker``."""
    return Lazy(partial(_connect, kind, adapters, environ, party))


def _connect(kind: str, adapters: Sequence[type[Adapter]], environ: Mapping[str, str], party: Party) -> Handler:
    connections = Connections.open(environ, [name for adapter in adapters for name in adapter.required])
    providers = [provider for adapter in adapters if (provider := adapter.from_env(environ)) is not None]
    provider = Failover([Breaker(provider, party) for provider in providers])
    return partial(handle_delivery, kind, connections.parts(provider, connections.ledger(kind)))


def handle_delivery(kind: str, parts: Parts, push: Push) -> None:
    """Deliver what ``push`` holds. Raises ``Undecodable`` if it holds anything but a delivery of this ``kind``."""
    match envelope.decode(push.message.data):
        case Delivery(channel_type=channel_type) as delivery if channel_type == kind:
            deliver(delivery, push.delivery_attempt, parts)
        case other:
            message = f"A message of type {type(other).__name__} that is not for the channel {kind} came to it."
            raise Undecodable(message)
