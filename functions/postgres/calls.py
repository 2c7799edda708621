"""How Postgres is called: with its errors turned into ours."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.errors import InsufficientPrivilege

from postgres.pool import Connected, Pool, autocommit
from shared.errors import CredentialsRefused, Retryable
from shared.reasons import Reason


@contextmanager
def connected(pool: Pool, *, refused: Reason, unavailable: Reason) -> Iterator[Connected]:
    """A connection on which each statement is its own transaction.

    Turns the errors of Postgres into ``CredentialsRefused(refused)`` and ``Retryable(unavailable)``.
    """
    try:
        with autocommit(pool) as connection:
            yield connection
    except InsufficientPrivilege as error:
        raise CredentialsRefused(refused, type(error).__name__) from error
    except psycopg.OperationalError as error:
        raise Retryable(unavailable, type(error).__name__) from error
