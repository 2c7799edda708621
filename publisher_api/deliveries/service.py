"""Records the outcomes that functions report."""

from collections.abc import Sequence

from postgres.pool import Pool, autocommit
from publisher_api.deliveries import store
from shared.outcomes import Outcome


def record_outcomes(pool: Pool, outcomes: Sequence[Outcome]) -> None:
    """Record the outcomes; returns when they are committed. Raises ``psycopg.Error``."""
    with autocommit(pool) as connection:
        store.record(connection, outcomes)
