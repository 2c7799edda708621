"""The ports outside of Google Cloud: state in Postgres, outcomes over the profile's transport."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

from functions.postgres.inbox import PostgresInbox
from functions.postgres.ledger import PostgresLedger
from functions.postgres.process import process_of
from functions.postgres.switches import PostgresSwitchStore
from functions.runtime.ports import Services
from functions.runtime.switches import CachedSwitches

REQUIRED = ("DATABASE_URL",)
"""The environment variables without which ``connect`` cannot be called."""


def connect(environ: Mapping[str, str], lease: timedelta) -> Services:
    """The ports of one function. ``lease`` is how long a claim holds. Raises ``ConfigurationError``."""
    process = process_of(environ)
    switch_store = PostgresSwitchStore(process.pool)
    return Services(
        ledger=PostgresLedger(process.ledger, lease),
        outcomes=process.recorder,
        record=process.recorder.record,
        switches=CachedSwitches(switch_store.read, time.monotonic),
        switch_store=switch_store,
        inbox=PostgresInbox(process.pool),
        now=partial(datetime.now, UTC),
    )
