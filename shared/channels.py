"""The topology, read from ``channels.json``: which channels there are and every name that follows from them.

``channels.json`` is the only declaration. Topics, subscriptions and filters are derived here for the local stack, the
bundler and the tests, and in ``terraform/`` by the same rules; ``tests/test_topology.py`` holds the two together.
"""

from pathlib import Path

import msgspec

NOTIFICATIONS_TOPIC = "notifications"
OUTCOMES_TOPIC = "delivery-outcomes"
OUTCOMES_SUBSCRIPTION = f"{OUTCOMES_TOPIC}-publisher"
OUTCOMES_DEAD_LETTER_TOPIC = f"{OUTCOMES_TOPIC}-dead"
OUTCOMES_DEAD_LETTER_SUBSCRIPTION = f"{OUTCOMES_DEAD_LETTER_TOPIC}-kept"
_DECLARATION = Path(__file__).with_name("channels.json")

LEASE_MARGIN_SECONDS = 30


class Channel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One channel of ``channels.json``. Seconds are whole seconds; ``memory`` and ``cpu`` are Cloud Run quantities."""

    kind: str
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

    @property
    def subscription(self) -> str:
        return f"{NOTIFICATIONS_TOPIC}-{self.kind}"

    @property
    def filter(self) -> str:
        """Nothing but the channel: a filter can never be changed, and what it does not match is dropped silently."""
        return f'attributes.channel = "{self.kind}"'

    @property
    def dead_letter_topic(self) -> str:
        return f"{self.subscription}-dead"

    @property
    def dead_letter_subscription(self) -> str:
        return f"{self.dead_letter_topic}-function"

    @property
    def ack_deadline_seconds(self) -> int:
        """Longer than the function may run, or Pub/Sub would deliver again while it still works."""
        return min(600, self.timeout_seconds + 10)

    @property
    def lease_seconds(self) -> int:
        """How long a claim in the ledger holds: longer than the function may run, so a live worker is never robbed."""
        return self.timeout_seconds + LEASE_MARGIN_SECONDS


def parse(declaration: bytes) -> dict[str, Channel]:
    """The channels of a ``channels.json``, by kind. Raises ``msgspec.ValidationError`` naming the wrong field."""
    entries = msgspec.json.decode(declaration, type=dict[str, dict[str, object]])
    return {kind: msgspec.convert({"kind": kind, **entry}, Channel) for kind, entry in entries.items()}


CHANNELS: dict[str, Channel] = parse(_DECLARATION.read_bytes())
KINDS: tuple[str, ...] = tuple(CHANNELS)
