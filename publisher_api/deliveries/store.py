"""Records outcomes: an event for each, and a status that only moves forward."""

from collections.abc import Sequence
from typing import Any

import msgspec

from publisher_api.db.pool import Connected
from shared.outcomes import Outcome
from shared.reasons import Reason


def record(connection: Connected, outcomes: Sequence[Outcome]) -> None:
    """Record each outcome. Repeated, late and reordered outcomes add events at most, and never a wrong status.

    ``delivery_moves`` holds the allowed moves. Each statement takes one outcome per delivery, because an update with
    two candidates for a row would use either. It first locks the deliveries in the order of their ids, as
    ``outbox.store.mark_queued`` does: an update by itself locks them in the order of its plan, and two of them can
    deadlock.
    """
    remaining = list(outcomes)
    while remaining:
        batch: dict[str, Outcome] = {}
        later: list[Outcome] = []
        for outcome in remaining:
            if outcome.delivery_id in batch:
                later.append(outcome)
            else:
                batch[outcome.delivery_id] = outcome
        _record(connection, list(batch.values()))
        remaining = later


def _record(connection: Connected, outcomes: list[Outcome]) -> None:
    rows = msgspec.json.encode([_row(outcome) for outcome in outcomes]).decode()
    connection.execute(
        """
        with reported as (
            select r.*, d.notification_id as owner, d.kind, d.recipient
              from json_populate_recordset(null::delivery_events, %(outcomes)s::json) r
              join deliveries d using (delivery_id)
             order by delivery_id for no key update of d
        ), recorded as (
            insert into delivery_events (delivery_id, round, result, at, received_at, attempt, reason, detail, provider,
                                         provider_message_id, possible_duplicate)
            select delivery_id, round, result, at, received_at, attempt, reason, detail, provider,
                   provider_message_id, possible_duplicate
              from reported
            on conflict (delivery_id, round, result, at) do nothing
        ), moved as (
            update deliveries d
               set status = r.result, reason = r.reason, updated_at = now(),
                   provider = coalesce(r.provider, d.provider),
                   provider_message_id = coalesce(r.provider_message_id, d.provider_message_id),
                   possible_duplicate = d.possible_duplicate or r.possible_duplicate
              from reported r
             where d.delivery_id = r.delivery_id and d.round = r.round
               -- Not EXISTS: Postgres makes a join of it, and does not look again after it has waited for the row.
               and (select true from delivery_moves m where m.before = d.status and m.after = r.result)
        )
        delete from devices d
         using reported r
         where r.kind = 'push' and r.reason = %(unregistered)s and d.token = r.recipient
        """,
        {"outcomes": rows, "unregistered": Reason.UNREGISTERED.value},
    )


def _row(outcome: Outcome) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(outcome)
    row.setdefault("possible_duplicate", False)
    return row
