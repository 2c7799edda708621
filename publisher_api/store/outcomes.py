"""Outcomes into the account: an event a report, and a status that only moves forward."""

from collections.abc import Sequence
from typing import Any

import msgspec

from publisher_api.store.pool import Connected
from shared.outcomes import Outcome


def record(connection: Connected, outcomes: Sequence[Outcome]) -> None:
    """Record each outcome. Repeated, late and reordered ones leave events at the most, and no wrong status.

    The moves that are allowed stand in ``delivery_moves``. Each statement takes one outcome a delivery, because an
    update with two candidates for a row would pick any.
    """
    # In one order everywhere, so that two instances never wait for each other's rows.
    remaining = sorted(outcomes, key=lambda outcome: outcome.delivery_id)
    while remaining:
        this_time: dict[str, Outcome] = {}
        later: list[Outcome] = []
        for outcome in remaining:
            if outcome.delivery_id in this_time:
                later.append(outcome)
            else:
                this_time[outcome.delivery_id] = outcome
        _record(connection, list(this_time.values()))
        remaining = later


def _record(connection: Connected, outcomes: list[Outcome]) -> None:
    parameters = {"outcomes": msgspec.json.encode([_row(outcome) for outcome in outcomes]).decode()}
    connection.execute(
        """
        with reported as (
            select r.*, d.notification_id as owner, d.kind, d.recipient
              from json_populate_recordset(null::delivery_events, %(outcomes)s::json) r
              join deliveries d using (delivery_id)
        ), told as (
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
               and exists (select from delivery_moves m where m.before = d.status and m.after = r.result)
        )
        delete from devices d
         using reported r
         where r.kind = 'push' and r.reason = 'unregistered' and d.token = r.recipient
        """,
        parameters,
    )


def _row(outcome: Outcome) -> dict[str, Any]:
    row: dict[str, Any] = msgspec.to_builtins(outcome)
    row.setdefault("possible_duplicate", False)
    return row
