"""The channel switches in the only row of ``state.switches``."""

from contextlib import AbstractContextManager

import msgspec

from functions.postgres.calls import connected
from functions.runtime.switches import SwitchTable
from postgres.pool import Connected, Pool
from shared.reasons import Reason


class PostgresSwitchStore:
    """The table of channel switches, in one row."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def read(self) -> SwitchTable:
        with self._connected() as connection:
            row = connection.execute("select version, channels from state.switches").fetchone()
        return SwitchTable(row["version"], row["channels"]) if row else SwitchTable()

    def write(self, table: SwitchTable) -> None:
        """Store ``table`` unless the stored one has the same or a newer version: a transport may keep no order."""
        with self._connected() as connection:
            connection.execute(
                """
                insert into state.switches as s (version, channels) values (%s, %s::jsonb)
                on conflict (only_row) do update set version = excluded.version, channels = excluded.channels
                 where s.version < excluded.version
                """,
                [table.version, msgspec.json.encode(table.channels).decode()],
            )

    def _connected(self) -> AbstractContextManager[Connected]:
        return connected(self._pool, refused=Reason.SWITCHES_REFUSED, unavailable=Reason.SWITCHES_UNAVAILABLE)
