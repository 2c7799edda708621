"""Publishes again what the transport has lost. It shows a loss by another epoch (``transport.port.Epoch``)."""

from collections.abc import Callable

from postgres.pool import Pool, autocommit
from publisher_api.outbox import epoch_store
from publisher_api.outbox.publish import Clock
from shared.log_events import LogEvent
from shared.logs import EventLogger
from transport.port import Epoch, TransportError

_CHUNK = 5000
_log = EventLogger(__name__)

ReadEpoch = Callable[[], Epoch | None]


def make_lost_due(pool: Pool, read_epoch: ReadEpoch, clock: Clock) -> None:
    """Make the deliveries due whose messages the transport may have lost, so that the next sweep publishes them.

    Does nothing while the transport cannot be reached: then nothing can be published either. Raises ``psycopg.Error``.
    """
    try:
        epoch = read_epoch()
    except TransportError:
        return
    if epoch is None:
        return
    with autocommit(pool) as connection:
        if epoch_store.remember(connection, epoch):
            _log.warning(LogEvent.OUTBOX_EPOCH_CHANGED, server_process=epoch.process)
        while epoch_store.make_lost_due(connection, clock(), _CHUNK):
            pass
