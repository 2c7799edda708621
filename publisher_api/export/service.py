"""Exports what is stored of a user, page by page.

The whole is never in memory, and no connection to Postgres is held while the client reads.
"""

from collections.abc import Iterator

import msgspec

from postgres.pool import Pool
from publisher_api.export import store


def export(pool: Pool, user_id: str) -> Iterator[str]:
    """The document, in parts. The first part is read before this returns. Raises ``psycopg.Error``.

    What is accepted while the parts are read may be missing from it.
    """
    with pool.connection() as connection:
        profile = store.read_profile(connection, user_id)
        page = store.read_page(connection, user_id, None)
    return _parts(pool, user_id, profile, page)


def _parts(pool: Pool, user_id: str, profile: str, page: store.Page) -> Iterator[str]:
    yield f'{_compact(profile).removesuffix("}")},"notifications":['
    separator = ""
    while page.notifications:
        yield separator + ",".join(map(_compact, page.notifications))
        separator = ","
        with pool.connection() as connection:
            page = store.read_page(connection, user_id, page.last)
    yield "]}"


def _compact(text: str) -> str:
    """The JSON without the spaces that Postgres writes."""
    return msgspec.json.format(text, indent=-1)
