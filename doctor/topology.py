"""The subscriptions as they should be, derived from ``shared.topology`` and the deployment's addresses."""

from dataclasses import dataclass

from doctor.settings import DEAD_LETTER, LocalStack, Settings
from shared.topology import (
    NOTIFICATIONS_TOPIC,
    OUTCOMES_DEAD_LETTER_SUBSCRIPTION,
    OUTCOMES_DEAD_LETTER_TOPIC,
    OUTCOMES_SUBSCRIPTION,
    OUTCOMES_TOPIC,
    TOPOLOGY,
)

_OUTCOMES_ACK_DEADLINE_SECONDS = 60
_OUTCOMES_ATTEMPTS = 100
_USUAL_BACKOFF_SECONDS = (10.0, 600.0)
_FULL_PATIENCE = LocalStack(bridge_url="", patience=1.0, attempts=100)


@dataclass(frozen=True, slots=True)
class Push:
    """Where a subscription pushes to, and what its OIDC token says."""

    endpoint: str
    audience: str
    service_account: str


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """Where messages go after so many attempts."""

    topic: str
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription with short names, as it is or as it should be; there, None means that nothing is asked for."""

    name: str
    topic: str
    filter: str = ""
    ack_deadline_seconds: int | None = None
    backoff_seconds: tuple[float, float] | None = None
    dead_letters: DeadLetters | None = None
    push: Push | None = None


def topics() -> list[str]:
    """The short names of all topics."""
    dead = [channel.dead_letter_topic for channel in TOPOLOGY.values()]
    return [NOTIFICATIONS_TOPIC, OUTCOMES_TOPIC, OUTCOMES_DEAD_LETTER_TOPIC, *dead]


def subscriptions(settings: Settings) -> list[Subscription]:
    """All of them. Locally none pushes, and each is as patient as the stack was started."""
    patience = settings.local or _FULL_PATIENCE
    usual = _scaled(_USUAL_BACKOFF_SECONDS, patience)
    found = [
        Subscription(
            name=OUTCOMES_SUBSCRIPTION,
            topic=OUTCOMES_TOPIC,
            ack_deadline_seconds=_OUTCOMES_ACK_DEADLINE_SECONDS,
            backoff_seconds=usual,
            dead_letters=DeadLetters(OUTCOMES_DEAD_LETTER_TOPIC, _OUTCOMES_ATTEMPTS),
            push=_push(settings, f"{settings.publisher_url}/internal/outcomes", settings.push_audience),
        ),
        Subscription(name=OUTCOMES_DEAD_LETTER_SUBSCRIPTION, topic=OUTCOMES_DEAD_LETTER_TOPIC),
    ]
    for kind, channel in TOPOLOGY.items():
        deliveries = Subscription(
            name=channel.subscription,
            topic=NOTIFICATIONS_TOPIC,
            filter=channel.filter,
            ack_deadline_seconds=channel.ack_deadline_seconds,
            backoff_seconds=_scaled(channel.backoff_seconds, patience),
            dead_letters=DeadLetters(channel.dead_letter_topic, min(channel.attempts, patience.attempts)),
            push=_push_to_function(settings, kind),
        )
        dead = Subscription(
            name=channel.dead_letter_subscription,
            topic=channel.dead_letter_topic,
            backoff_seconds=usual,
            push=_push_to_function(settings, DEAD_LETTER),
        )
        found += [deliveries, dead]
    return found


def _push_to_function(settings: Settings, name: str) -> Push | None:
    return _push(settings, settings.functions[name], settings.functions[name])


def _push(settings: Settings, endpoint: str, audience: str) -> Push | None:
    return None if settings.local else Push(endpoint, audience, settings.push_service_account)


def _scaled(seconds: tuple[float, float], patience: LocalStack) -> tuple[float, float]:
    return (seconds[0] * patience.patience, seconds[1] * patience.patience)
