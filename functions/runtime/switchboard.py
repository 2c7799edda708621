"""Which channels are switched on, for messages that are in flight already.

The publisher knows first and sends nothing to a channel that is off. This table reaches the deliveries that were
published before, at most ``FRESH_SECONDS`` after it was written. Each change makes a new version of it, by which a
delivery that was published since a channel was switched on again knows the table of before.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from google.cloud.firestore import Client

from functions.runtime.google_api import CALL, delivery_errors
from shared.errors import DeliveryError

DOCUMENT = ("config", "channels")
FRESH_SECONDS = 15.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Table:
    """Slug → whether it is on, and the version of it all."""

    version: int = 0
    channels: Mapping[str, bool] = field(default_factory=dict)


def read_table(client: Client) -> Table:
    """The table in Firestore; empty if none was ever written. Raises ``DeliveryError``."""
    with delivery_errors("switchboard"):
        fields = client.collection(DOCUMENT[0]).document(DOCUMENT[1]).get(**CALL).to_dict()
    return Table(fields["version"], fields["channels"]) if fields else Table()


class Switchboard:
    """The table behind a cache. ``clock`` counts seconds from anywhere and never goes back."""

    def __init__(self, read: Callable[[], Table], clock: Callable[[], float]) -> None:
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._table = Table()
        self._fresh_until = float("-inf")

    def is_on(self, slug: str, switched_on: int) -> bool:
        """Whether ``slug``, of which the publisher knows that it was on in version ``switched_on``, may send.

        What the table does not mention is on. When the table cannot be read the last one holds: a switch is no reason
        to stop sending.
        """
        with self._lock:
            now = self._clock()
            if now >= self._fresh_until:
                self._fresh_until = now + FRESH_SECONDS
                try:
                    self._table = self._read()
                except DeliveryError as error:
                    _log.warning("The switchboard cannot be read; the last one holds. %s", error)
            return self._table.version <= switched_on or self._table.channels.get(slug, True)
