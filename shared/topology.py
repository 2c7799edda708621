"""The topology: every topic, subscription and name, derived from ``channels.json`` and ``subscriptions.json``.

These files are the only declarations: ``channels.json`` has an entry for each channel type, ``subscriptions.json`` for
the subscriptions that are the same for every channel type. The local stack, the bundler, the doctor and the tests use
what is derived here. Terraform derives the same from the same files; ``tests/test_terraform.py`` compares the two.
"""

from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated

import msgspec

from shared.lanes import Lane, topic_of

NOTIFICATIONS_TOPIC = "notifications"
OUTCOMES_TOPIC = "delivery-outcomes"
OUTCOMES_SUBSCRIPTION = f"{OUTCOMES_TOPIC}-publisher"
OUTCOMES_DEAD_LETTER_TOPIC = f"{OUTCOMES_TOPIC}-dead"
OUTCOMES_DEAD_LETTER_SUBSCRIPTION = f"{OUTCOMES_DEAD_LETTER_TOPIC}-kept"
PUBLISHER = "publisher"
DEAD_LETTER = "dead_letter"
_CHANNELS = Path(__file__).with_name("channels.json")
_SUBSCRIPTIONS = Path(__file__).with_name("subscriptions.json")

_LEASE_MARGIN_SECONDS = 45
_ACK_DEADLINE_MARGIN_SECONDS = 10
_MAX_ACK_DEADLINE_SECONDS = 600
_RECEIVER_SHARE = 4
_MAX_ATTEMPTS = 100
_CONCURRENCY = 32
_MAX_SHARDS = 64
_Backoff = Annotated[int, msgspec.Meta(ge=0, le=600)]


def channel_filter(channel_type: str) -> str:
    """The channel type and nothing more: a filter can never be changed, and drops silently what it does not match.

    The attribute is named ``channel`` on the wire (``shared.attributes``).

    >>> channel_filter("sms")
    'attributes.channel = "sms"'
    """
    return f'attributes.channel = "{channel_type}"'


class ChannelTopology(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One channel type of ``channels.json``. ``memory`` and ``cpu`` are Cloud Run quantities.

    ``shards`` is the number of streams over which Redis spreads its messages.
    """

    channel_type: str
    title: str
    providers: tuple[str, ...]
    attempts: int
    backoff_seconds: tuple[int, int]
    timeout_seconds: int
    concurrency: int
    memory: str
    cpu: str
    time_to_live_seconds: int
    secrets: tuple[str, ...]
    shards: Annotated[int, msgspec.Meta(ge=1, le=_MAX_SHARDS)] = 1

    @property
    def subscription(self) -> str:
        return f"{NOTIFICATIONS_TOPIC}-{self.channel_type}"

    @property
    def dead_letter_topic(self) -> str:
        return f"{self.subscription}-dead"

    @property
    def dead_letter_subscription(self) -> str:
        return f"{self.dead_letter_topic}-function"

    @property
    def ack_deadline_seconds(self) -> int:
        """Longer than the function may run, or Pub/Sub would deliver the message again while it still works."""
        return min(_MAX_ACK_DEADLINE_SECONDS, self.timeout_seconds + _ACK_DEADLINE_MARGIN_SECONDS)

    @property
    def lease_seconds(self) -> int:
        """How long a claim in the ledger holds: longer than the function may run, so that no live worker loses it.

        A worker goes on after its request timed out. ``tests/test_topology.py`` adds up what it may take.
        """
        return self.timeout_seconds + _LEASE_MARGIN_SECONDS

    @property
    def receiver_limit(self) -> int:
        """How many deliveries one receiver may hold in an instance at a time, where each has its own server."""
        return max(1, self.concurrency // _RECEIVER_SHARE)


def parse(declaration: bytes) -> dict[str, ChannelTopology]:
    """The content of a ``channels.json``, by channel type. Raises ``msgspec.ValidationError`` naming the field."""
    entries = msgspec.json.decode(declaration, type=dict[str, dict[str, object]])
    return {name: msgspec.convert({"channel_type": name, **entry}, ChannelTopology) for name, entry in entries.items()}


class _Kept(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    ack_deadline_seconds: Annotated[int, msgspec.Meta(ge=10, le=_MAX_ACK_DEADLINE_SECONDS)]


class _Pushed(_Kept, frozen=True, kw_only=True, forbid_unknown_fields=True):
    backoff_seconds: tuple[_Backoff, _Backoff]


class _PushedInAttempts(_Pushed, frozen=True, kw_only=True, forbid_unknown_fields=True):
    attempts: Annotated[int, msgspec.Meta(ge=5, le=_MAX_ATTEMPTS)]


class SharedSubscriptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``subscriptions.json``. ``dead_letters`` is the subscription that each channel type has for its dead letters."""

    outcomes: _PushedInAttempts
    outcomes_dead: _Kept
    dead_letters: _Pushed


def parse_shared(declaration: bytes) -> SharedSubscriptions:
    """The content of a ``subscriptions.json``. Raises ``msgspec.ValidationError`` naming the field."""
    return msgspec.json.decode(declaration, type=SharedSubscriptions)


TOPOLOGY: dict[str, ChannelTopology] = parse(_CHANNELS.read_bytes())
_SHARED = parse_shared(_SUBSCRIPTIONS.read_bytes())
CHANNEL_TYPES: tuple[str, ...] = tuple(TOPOLOGY)
FUNCTIONS: tuple[str, ...] = (*CHANNEL_TYPES, DEAD_LETTER)


class RetryProfile(Enum):
    """How a subscription retries: a factor on every backoff, and a limit on attempts (5 to 100).

    The Pub/Sub emulator's shortest backoff is about 2 s. A factor of 0 means no backoff: the emulator then retries
    after 50 ms.
    """

    PRODUCTION = (1.0, _MAX_ATTEMPTS)
    DEMO = (0.05, 10)  # for a developer who watches: minutes become seconds
    END_TO_END_TEST = (0.02, 5)  # a dead letter after about 7 s, which leaves time to restart a part
    UNIT_TEST = (0.0, 5)  # a dead letter after a quarter of a second

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "RetryProfile":
        """The profile that RETRY_PROFILE names, which only the local stack sets. Raises ``KeyError``."""
        return cls[environ.get("RETRY_PROFILE") or cls.PRODUCTION.name]

    @property
    def attempts(self) -> int:
        return self.value[1]

    @property
    def factor(self) -> float:
        return self.value[0]

    def backoff(self, seconds: tuple[float, float]) -> tuple[float, float]:
        return seconds[0] * self.factor, seconds[1] * self.factor

    def attempts_of(self, declared: int) -> int:
        """How many attempts a message gets where ``channels.json`` declares ``declared``."""
        return min(declared, self.attempts)


class DeadLetters(msgspec.Struct, frozen=True):
    """Where a message goes after ``attempts`` attempts."""

    topic: str
    attempts: int


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription, with short names.

    ``target`` is what its messages are pushed to: a function, the publisher, or nothing (they are kept). Without a
    backoff Pub/Sub delivers again at once. ``concurrency`` limits the messages in work on one machine. ``shards`` is as
    in ``ChannelTopology``.
    """

    name: str
    topic: str
    target: str | None
    ack_deadline_seconds: int
    filter: str = ""
    backoff_seconds: tuple[float, float] | None = None
    dead_letters: DeadLetters | None = None
    concurrency: int = _CONCURRENCY
    shards: int = 1

    def gets(self, attributes: Mapping[str, str]) -> bool:
        """Whether a message with ``attributes`` passes the filter, which is empty or ``channel_filter``."""
        return not self.filter or self.filter == channel_filter(attributes.get("channel", ""))


def topics() -> list[str]:
    """The short names of all topics."""
    dead_letters = [channel_type.dead_letter_topic for channel_type in TOPOLOGY.values()]
    of_lanes = [topic_of(NOTIFICATIONS_TOPIC, lane) for lane in Lane]
    return [*of_lanes, OUTCOMES_TOPIC, OUTCOMES_DEAD_LETTER_TOPIC, *dead_letters]


def subscriptions(profile: RetryProfile = RetryProfile.PRODUCTION) -> list[Subscription]:
    """All subscriptions: for each channel type one in each lane and one for its dead letters, and two for outcomes."""
    outcomes = Subscription(
        name=OUTCOMES_SUBSCRIPTION,
        topic=OUTCOMES_TOPIC,
        target=PUBLISHER,
        ack_deadline_seconds=_SHARED.outcomes.ack_deadline_seconds,
        backoff_seconds=profile.backoff(_SHARED.outcomes.backoff_seconds),
        dead_letters=DeadLetters(OUTCOMES_DEAD_LETTER_TOPIC, _SHARED.outcomes.attempts),
    )
    outcomes_dead = Subscription(
        name=OUTCOMES_DEAD_LETTER_SUBSCRIPTION,
        topic=OUTCOMES_DEAD_LETTER_TOPIC,
        target=None,
        ack_deadline_seconds=_SHARED.outcomes_dead.ack_deadline_seconds,
    )
    of_types = [each for declared in TOPOLOGY.values() for each in _subscriptions_of(declared, profile)]
    return [outcomes, outcomes_dead, *of_types]


def _subscriptions_of(declared: ChannelTopology, profile: RetryProfile) -> Iterator[Subscription]:
    for lane in Lane:
        yield Subscription(
            name=f"{topic_of(NOTIFICATIONS_TOPIC, lane)}-{declared.channel_type}",
            topic=topic_of(NOTIFICATIONS_TOPIC, lane),
            target=declared.channel_type,
            filter=channel_filter(declared.channel_type),
            ack_deadline_seconds=declared.ack_deadline_seconds,
            backoff_seconds=profile.backoff(declared.backoff_seconds),
            dead_letters=DeadLetters(declared.dead_letter_topic, profile.attempts_of(declared.attempts)),
            concurrency=declared.concurrency,
            shards=declared.shards,
        )
    yield Subscription(
        name=declared.dead_letter_subscription,
        topic=declared.dead_letter_topic,
        target=DEAD_LETTER,
        ack_deadline_seconds=_SHARED.dead_letters.ack_deadline_seconds,
        backoff_seconds=profile.backoff(_SHARED.dead_letters.backoff_seconds),
    )


def subscriptions_to(topic: str) -> list[Subscription]:
    """The subscriptions to the topic ``topic``."""
    return [each for each in subscriptions() if each.topic == topic]
