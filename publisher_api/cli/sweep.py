"""``python -m publisher_api.cli.sweep``: publish what is due, where nothing runs all the time.

Sweeps once and logs how many messages it published; with ``--every SECONDS`` it repeats until it is stopped.
"""

import argparse
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import psycopg

from publisher_api.accept.service import delete_expired_keys
from publisher_api.db.config_cache import ConfigCache
from publisher_api.db.pool import make_pool
from publisher_api.outbox.sweeper import sweep
from publisher_api.settings import Settings
from publisher_api.topic import notifications_topic
from shared import logs
from shared.errors import ConfigurationError
from shared.log_events import LogEvent
from shared.logs import EventLogger
from transport.port import PublishError

_log = EventLogger(__name__)


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
    """A function that sweeps once, deletes the expired keys, and returns how many messages it published.

    Its connections close with the block.
    """
    topic = notifications_topic(settings, os.environ)
    with make_pool(settings.database_url, 1, behind_pooler=True) as pool, closing(topic):
        cache = ConfigCache(pool)

        def sweep_once() -> int:
            published = sweep(pool, topic, cache, _now)
            delete_expired_keys(pool, _now())
            return published

        yield sweep_once


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
