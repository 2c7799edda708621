"""The function of e-mail with everything around it in memory."""

from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from functions.runtime.deferral import Deferral
from functions.runtime.deliver import Dependencies, handle_delivery
from functions.runtime.provider import Rejected, Sent
from functions.runtime.recording import record
from functions.runtime.switches import CachedSwitches, SwitchTable
from shared.envelope import Command, Delivery
from shared.errors import HeliographError
from tests.factories import NOON, make_received
from tests.fakes import Clock, MemoryLedger, MemoryOutcomes, ScriptedProvider

LEASE = timedelta(seconds=90)
SENT = Sent("scripted", "m1")
Verdict = type[HeliographError] | None
"""The class of the error that the handler raised; None if it returned."""


@dataclass
class EmailFunction:
    """``receive`` hands it a message; ``results`` are the outcomes that it published."""

    provider: ScriptedProvider
    ledger: MemoryLedger = field(default_factory=lambda: MemoryLedger(LEASE))
    outcomes: MemoryOutcomes = field(default_factory=MemoryOutcomes)
    switches: dict[str, bool] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    deferral: Deferral | None = None

    def receive(self, message: Delivery | Command | bytes, attempt: int | None = 1) -> Verdict:
        switches = CachedSwitches(lambda: SwitchTable(1, {"email": True} | self.switches), lambda: 0.0)
        dependencies = Dependencies(
            self.provider,
            self.ledger,
            switches,
            self.outcomes,
            partial(record, self.ledger, self.outcomes),
            self.clock,
            deferral=self.deferral,
        )
        try:
            handle_delivery("email", dependencies, make_received(message, attempt))
        except HeliographError as error:
            return type(error)
        return None

    @property
    def results(self) -> list[tuple[str, str | None]]:
        return [(outcome.result, outcome.reason) for outcome in self.outcomes.published]


def answering(*answers: Sent | Rejected | Exception) -> EmailFunction:
    return EmailFunction(ScriptedProvider(answers))


def claimed_by_other(delivery: Delivery) -> EmailFunction:
    function = answering(SENT)
    function.ledger.claim(delivery.key, NOON)
    return function


def switched_off(channel: str) -> EmailFunction:
    return EmailFunction(ScriptedProvider([SENT]), switches={channel: False})
