"""The chores of the sweeper, in every kind of hosting."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

from postgres.pool import Pool
from publisher_api.db.expired_rows import delete_some_expired_rows
from publisher_api.erasures.service import erase_some
from publisher_api.outbox.chores import Chore
from publisher_api.retention.service import purge_some


def chores_of(pool: Pool, new_id: Callable[[], str]) -> tuple[Chore, ...]:
    """What is deleted: expired rows, users who are erased, and notifications that were kept for long enough."""
    return (
        Chore("expired_rows", partial(delete_some_expired_rows, pool), timedelta(minutes=10)),
        Chore("erasures", partial(erase_some, pool, new_id=new_id), timedelta(seconds=1)),
        Chore("retention", partial(purge_some, pool, new_id=new_id), timedelta(minutes=10)),
    )
