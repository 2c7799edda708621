"""Deliveries go into the inbox; commands are carried out."""

from functools import partial

from functions.inapp import commands
from functions.inapp.inbox import InboxProvider
from functions.runtime.arrival import arrival
from functions.runtime.deliver import Dependencies, handle_delivery
from functions.runtime.ledger import NoLedger
from functions.runtime.ports import Services
from shared import envelope
from shared.envelope import Command
from shared.log_events import LogEvent
from shared.logs import EventLogger
from transport.port import Handler, Received

_log = EventLogger(__name__)


def connect(services: Services) -> Handler:
    """The handler of the function ``inapp``."""
    return partial(handle, services)


def handle(services: Services, received: Received) -> None:
    """Raises ``Retryable``, ``CredentialsRefused`` or ``Undecodable``."""
    match envelope.decode(received.data):
        case Command() as command:
            commands.apply(command, services.inbox, services.switch_store, services.now())
            if outcome := commands.outcome_of(command, services.now()):
                services.outcomes.publish(outcome)
                _log.info(LogEvent.INBOX_ERASED, erasure_id=command.erasure_id)
        case _:
            dependencies = Dependencies(
                provider=InboxProvider(services.inbox, services.now),
                ledger=NoLedger(),
                switches=services.switches,
                outcomes=services.outcomes,
                record=lambda _claim, outcome: services.outcomes.publish(outcome),
                now=services.now,
                arrival=partial(arrival, services.inbox),
            )
            handle_delivery("inapp", dependencies, received)
