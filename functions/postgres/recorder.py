"""Records outcomes: in the ledger, where their deliveries were claimed, and on the topic that leads to the publisher.

All functions of a process share one recorder. What their threads ask for at the same time is one statement in the
ledger, and one call of the topic.
"""

from collections.abc import Sequence
from typing import NamedTuple

from functions.postgres.ledger import LedgerTable
from functions.runtime.ledger import Claimed
from functions.runtime.outcomes import publish_all
from functions.runtime.recording import finish_failed
from shared.errors import DeliveryError
from shared.gathering import Gatherer
from shared.outcomes import Outcome
from transport.port import Topic


class _Asked(NamedTuple):
    claim: Claimed | None
    outcome: Outcome


class Recorder:
    """The outcome sink of a process, which finishes claims too (``runtime.ports.OutcomeSink`` and ``Record``)."""

    def __init__(self, table: LedgerTable, topic: Topic[Outcome]) -> None:
        self._table = table
        self._topic = topic
        self._gathered = Gatherer[_Asked, None](self._record_all, "outcomes")

    def publish(self, outcome: Outcome) -> None:
        """Publish ``outcome``; return when the topic has stored it. Raises ``Retryable`` or ``CredentialsRefused``."""
        self._gathered(_Asked(None, outcome))

    def record(self, claim: Claimed, outcome: Outcome) -> None:
        """Finish ``claim``, then publish ``outcome``, as ``recording.record`` does."""
        self._gathered(_Asked(claim, outcome))

    def close(self) -> None:
        """Record what waits. Record nothing afterwards."""
        self._gathered.close()

    def _record_all(self, asked: Sequence[_Asked]) -> list[None]:
        ended = {each.claim.key: each.outcome for each in asked if each.claim is not None}
        if ended:
            try:
                self._table.finish(ended)
            except DeliveryError as error:
                for outcome in ended.values():
                    finish_failed(outcome, error)
        publish_all(self._topic, [each.outcome for each in asked])
        return [None] * len(asked)
