"""``python -m publisher_api.cli.sweep``: publish what is due, where nothing runs all the time.

Sweeps once and logs how many messages it published; with ``--every SECONDS`` it repeats until it is stopped.
"""

import argparse
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta

import psycopg

from publisher_api.connections import connect, new_id, now
from publisher_api.hosting.chores import chores_of
from publisher_api.outbox.chores import Chores
from publisher_api.outbox.epochs import make_lost_due
from publisher_api.outbox.sweeper import sweep
from publisher_api.settings import Settings
from shared import logs
from shared.errors import ConfigurationError
from shared.log_events import LogEvent
from shared.logs import EventLogger
from transport.port import PublishError

_log = EventLogger(__name__)
_TIME_OF_A_CHORE = timedelta(seconds=2)
"""In each sweep. A scheduled function has a minute, and the next sweep goes on."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m publisher_api.cli.sweep", description=__doc__)
    parser.add_argument("--every", type=float, metavar="SECONDS", help="repeat, with this pause between two sweeps")
    every: float | None = parser.parse_args().every
    logs.configure()
    try:
        settings = Settings.from_env(os.environ)
    except ConfigurationError as error:
        sys.exit(str(error))
    with sweeping(settings) as sweep_once:
        while True:
            try:
                published = sweep_once()
            except (PublishError, psycopg.Error) as error:
                if every is None:
                    raise
                _log.warning(LogEvent.OUTBOX_SWEEP_FAILED, error=type(error).__name__)
            else:
                _log.info(LogEvent.OUTBOX_SWEPT, published=published)
            if every is None:
                return
            threading.Event().wait(every)


@contextmanager
def sweeping(settings: Settings) -> Iterator[Callable[[], int]]:
    """A function that sweeps once, does a part of the chores, and returns how many messages it published.

    Its connections close with the block.
    """
    with closing(connect(settings, os.environ, 1, behind_pooler=True)) as connections:
        connections.pool.open()
        chores = Chores(chores_of(connections.pool, new_id), _TIME_OF_A_CHORE)

        def sweep_once() -> int:
            make_lost_due(connections.pool, connections.epoch, now)
            published = sweep(connections.pool, connections.topic, connections.cache, connections.shares, now)
            chores.run(now())
            return published

        yield sweep_once


if __name__ == "__main__":
    main()
