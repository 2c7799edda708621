"""What all functions of one worker share: a pool of connections, the transport, and the recorder."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from functions.postgres.ledger import LedgerTable
from functions.postgres.recorder import Recorder
from functions.runtime import outcomes
from postgres.address import database_address
from postgres.pool import Pool, make_pool
from shared.profile import profile_of
from shared.topology import OUTCOMES_TOPIC
from transport.connect import Transport, connect_transport

# A thread holds a connection for the length of a statement, and most statements are gathered.
_CONNECTIONS = 12


@dataclass(frozen=True, slots=True)
class Process:
    """The shared parts. The pool is open."""

    pool: Pool
    transport: Transport
    ledger: LedgerTable
    recorder: Recorder

    def close(self) -> None:
        """Record the outcomes that wait, and disconnect."""
        self.ledger.close()
        self.recorder.close()
        self.transport.close()
        self.pool.close()


class _Environment(dict[str, str]):
    """An environment that ``cache`` can tell apart."""

    def __hash__(self) -> int:  # type: ignore[override]  # a dict has none
        return hash(frozenset(self.items()))


def process_of(environ: Mapping[str, str]) -> Process:
    """The parts of this process: the same for every function. Raises ``ConfigurationError``."""
    return _process(_Environment(environ))


@cache
def _process(environ: _Environment) -> Process:
    pool = make_pool(database_address(environ), _CONNECTIONS, always_autocommit=True)
    transport = connect_transport(profile_of(environ), environ, pool)
    pool.open()
    ledger = LedgerTable(pool)
    return Process(pool, transport, ledger, Recorder(ledger, transport.topic(OUTCOMES_TOPIC, outcomes.encode)))
