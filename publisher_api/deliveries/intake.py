"""Takes the outcomes from the transport's queue, where no one pushes them: outside of the google profile."""

import threading
from collections.abc import Sequence

import psycopg

from postgres.pool import Pool
from publisher_api.deliveries.service import record_outcomes
from shared import outcomes
from shared.errors import Undecodable
from shared.log_events import LogEvent
from shared.logs import EventLogger
from shared.outcomes import Outcome
from shared.topology import OUTCOMES_SUBSCRIPTION, subscriptions
from transport.connect import Transport
from transport.port import Taken, TransportError
from transport.worker import put_back

_MAX_OUTCOMES = 256
_WAIT_SECONDS = 15.0
# What is reported within this time is recorded together. A timeline is that much later.
_GATHER_SECONDS = 0.02
_PAUSE_SECONDS = 1.0
_STOP_SECONDS = 15.0
_log = EventLogger(__name__)


class Intake:
    """Records what has queued in one statement, in a thread of its own.

    While Postgres is unavailable, it keeps what it has taken and tries again. An outcome that is not recorded comes
    again. One that Postgres refuses holds up no other, and is a dead letter after the subscription's attempts.
    """

    def __init__(self, transport: Transport, pool: Pool) -> None:
        (self._subscription,) = (each for each in subscriptions() if each.name == OUTCOMES_SUBSCRIPTION)
        self._queue = transport.queue(self._subscription)
        self._pool = pool
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="intake", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Record what was taken, then end."""
        self._stopping.set()
        self._queue.wake()
        self._thread.join(timeout=_STOP_SECONDS)
        self._queue.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if taken := self._queue.take(_MAX_OUTCOMES, _WAIT_SECONDS):
                    self._record(taken)
                    self._stopping.wait(_GATHER_SECONDS)
            except TransportError as error:
                _log.warning(LogEvent.OUTCOMES_INTAKE_FAILED, error=type(error).__name__)
                self._stopping.wait(_PAUSE_SECONDS)
            except Exception:  # noqa: BLE001 - a bug must not end the thread; the outcomes come again
                _log.exception(LogEvent.OUTCOMES_INTAKE_FAILED)
                self._stopping.wait(_PAUSE_SECONDS)

    def _record(self, taken: Sequence[Taken]) -> None:
        """Record and settle. Tries again while Postgres is unavailable, until the intake is stopped.

        The transport would deliver these outcomes again only at the subscription's deadline, a minute later. An outcome
        that is delivered again meanwhile is recorded twice, which changes nothing.
        """
        decoded = [(each, outcome) for each in taken if (outcome := self._decode(each)) is not None]
        while True:
            try:
                self._record_decoded(decoded)
            except psycopg.OperationalError as error:
                _log.warning(LogEvent.OUTCOMES_INTAKE_FAILED, error=type(error).__name__)
                if self._stopping.wait(_PAUSE_SECONDS):
                    return
            else:
                return

    def _record_decoded(self, decoded: Sequence[tuple[Taken, Outcome]]) -> None:
        try:
            record_outcomes(self._pool, [outcome for _, outcome in decoded])
        except psycopg.OperationalError:  # Postgres is unavailable: no outcome is at fault
            raise
        except psycopg.Error:
            if len(decoded) > 1:
                for each in decoded:
                    self._record_decoded([each])
                return
            [(refused, _)] = decoded
            _log.exception(LogEvent.OUTCOMES_INTAKE_FAILED, message_id=refused.received.id)
            put_back(self._queue, refused, self._subscription)
        else:
            self._queue.done([each for each, _ in decoded])

    def _decode(self, taken: Taken) -> Outcome | None:
        """The outcome; None for a message that is none, which becomes a dead letter at once."""
        try:
            return outcomes.decode(taken.received.data)
        except Undecodable as error:
            _log.error(LogEvent.OUTCOME_UNDECODABLE, message_id=taken.received.id, error=str(error))
            self._queue.bury(taken)
            return None
