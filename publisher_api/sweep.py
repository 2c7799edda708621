"""``python -m publisher_api.sweep``: publish what is due, for deployments where nothing runs all the time.

Sweeps once and says how many messages it published; ``--every SECONDS`` goes on until it is stopped.
"""

import argparse
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import psycopg

from publisher_api.accept.relay import sweep
from publisher_api.google_identity import credentials_from_env
from publisher_api.settings import Settings
from publisher_api.store.catalog import Catalog
from publisher_api.store.pool import make_pool
from publisher_api.topic import PublishError, Topic
from shared import logs
from shared.errors import ConfigurationError

_log = logging.getLogger(__name__)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m publisher_api.sweep", description=__doc__)
    parser.add_argument("--every", type=float, metavar="SECONDS", help="sweep again and again, this far apart")
    every: float | None = parser.parse_args().every
    logs.configure()
    try:
        settings = Settings.from_env(os.environ)
    except ConfigurationError as error:
        sys.exit(str(error))
    with sweeping(settings) as sweep_now:
        while True:
            try:
                published = sweep_now()
            except (PublishError, psycopg.Error) as error:
                if every is None:
                    raise
                _log.warning("the sweep failed and tries again", extra={"error": type(error).__name__})
            else:
                _log.info("swept", extra={"published": published})
            if every is None:
                return
            threading.Event().wait(every)


@contextmanager
def sweeping(settings: Settings) -> Iterator[Callable[[], int]]:
    """A function that sweeps once and says how many messages it published; its connections close with the context."""
    topic = Topic(settings.topic_path, os.environ.get("PUBSUB_EMULATOR_HOST"), credentials_from_env(os.environ))
    with make_pool(settings.database_url, 1, behind_pooler=True) as pool, closing(topic):
        catalog = Catalog(pool)
        yield lambda: sweep(pool, topic, catalog, lambda: datetime.now(UTC))


if __name__ == "__main__":
    main()
