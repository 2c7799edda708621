"""The ledger in Postgres: one row per key in ``state.ledger``.

The claims of deliveries that begin at the same time are gathered into one statement.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from functions.postgres.calls import connected
from functions.runtime.ledger import Claim, Claimed, ClaimedByOther, CoolingDown, Finished, Unfinished, cooldown
from postgres.pool import Connected, Pool
from shared import outcomes
from shared.gathering import Gatherer
from shared.outcomes import Outcome
from shared.reasons import Reason

KEPT_FOR = timedelta(days=14)
"""How long a row is kept: as long as in Firestore."""
_CLAIM = """
    with asked as materialized (
        select * from unnest(%s::text[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[])
            as asked (key, now, lease_until, expire_at)
         order by key  -- two statements with the same keys in another order would wait for each other
    )
    insert into state.ledger as l (key, lease_until, expire_at) select key, lease_until, expire_at from asked
    on conflict (key) do update
       set state = 'claimed', claims = l.claims + 1, lease_until = excluded.lease_until, expire_at = excluded.expire_at,
           unconfirmed_attempts = l.unconfirmed_attempts + (l.state = 'claimed')::int
     where l.state <> 'finished' and l.lease_until <= (select now from asked where asked.key = l.key)
    returning key, claims, unconfirmed_attempts
"""
_FOUND = "select key, state, lease_until, outcome from state.ledger where key = any(%s)"
_FINISH = """
    with ended as (
        select l.key, given.outcome, given.expire_at
          from unnest(%s::text[], %b::bytea[], %s::timestamptz[]) as given (key, outcome, expire_at)
          join state.ledger l on l.key = given.key
         order by l.key for no key update of l
    )
    update state.ledger l set state = 'finished', outcome = ended.outcome, expire_at = ended.expire_at
      from ended where l.key = ended.key
"""


class _Asked(NamedTuple):
    key: str
    now: datetime
    lease: timedelta


class LedgerTable:
    """``state.ledger``, shared by the ledgers of one process, so that their statements are gathered together."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.claim = Gatherer[_Asked, Claim](self._claim_all, "ledger-claims")

    def close(self) -> None:
        """Write what waits."""
        self.claim.close()

    def connected(self) -> AbstractContextManager[Connected]:
        return connected(self._pool, refused=Reason.LEDGER_REFUSED, unavailable=Reason.LEDGER_UNAVAILABLE)

    def _claim_all(self, asked: Sequence[_Asked]) -> list[Claim]:
        first = {each.key: each for each in reversed(asked)}
        with self.connected() as connection:
            claimed = self._insert(connection, list(first.values()))
            others = [key for key in first if key not in claimed]
            found = {row["key"]: row for row in connection.execute(_FOUND, [others])} if others else {}
        return [
            claimed.pop(each.key) if each.key in claimed and first[each.key] is each else _refused(found.get(each.key))
            for each in asked
        ]

    def _insert(self, connection: Connected, asked: Sequence[_Asked]) -> dict[str, Claimed]:
        rows = connection.execute(
            _CLAIM,
            [
                [each.key for each in asked],
                [each.now for each in asked],
                [each.now + each.lease for each in asked],
                [each.now + KEPT_FOR for each in asked],
            ],
        )
        return {row["key"]: Claimed(row["key"], row["unconfirmed_attempts"], row["claims"]) for row in rows}

    def finish(self, ended: Mapping[str, Outcome]) -> None:
        """Record the outcomes, by their key."""
        with self.connected() as connection:
            connection.execute(
                _FINISH,
                [
                    list(ended),
                    [outcomes.encode(outcome) for outcome in ended.values()],
                    [outcome.at + KEPT_FOR for outcome in ended.values()],
                ],
            )


class PostgresLedger:
    """The ledger. ``lease`` is how long a claim holds. The version of a claim is the number of claims of its key."""

    def __init__(self, table: LedgerTable, lease: timedelta) -> None:
        self._table = table
        self._lease = lease

    def claim(self, key: str, now: datetime) -> Claim:
        return self._table.claim(_Asked(key, now, self._lease))

    def release(self, claim: Claimed, now: datetime, *, ambiguous: bool) -> None:
        unconfirmed = claim.unconfirmed_attempts + ambiguous
        with self._table.connected() as connection:
            connection.execute(
                """
                update state.ledger set state = 'released', unconfirmed_attempts = %s, lease_until = %s
                 where key = %s and claims = %s and state = 'claimed'
                """,
                [unconfirmed, now + cooldown(unconfirmed) if ambiguous else now, claim.key, claim.version],
            )

    def finish(self, claim: Claimed, outcome: Outcome) -> None:
        self._table.finish({claim.key: outcome})

    def look_up(self, key: str) -> Finished | Unfinished:
        with self._table.connected() as connection:
            row = connection.execute(
                "select state, unconfirmed_attempts, outcome from state.ledger where key = %s", [key]
            ).fetchone()
        if row is None:
            return Unfinished(possible_duplicate=False)
        if row["state"] == "finished":
            return Finished(outcomes.decode(row["outcome"]))
        return Unfinished(possible_duplicate=row["unconfirmed_attempts"] + (row["state"] == "claimed") > 0)


def _refused(row: dict[str, Any] | None) -> Claim:
    """Why a key could not be claimed. Without a row, another worker claims it at this moment."""
    if row is None or row["state"] == "claimed":
        return ClaimedByOther()
    if row["state"] == "finished":
        return Finished(outcomes.decode(row["outcome"]))
    return CoolingDown(row["lease_until"])
