"""Records outcomes: an event for each, and a status that only moves forward. Cancels what is not on its way."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from postgres.pool import Connected, fetch_one
from publisher_api.deliveries.stop_store import WAITS
from publisher_api.principal import IN_SIGHT, Sight
from shared.outcomes import Outcome
from shared.reasons import Reason


class Canceled(NamedTuple):
    """How many deliveries a notification has, how many of them are canceled, and for how many it is too late."""

    deliveries: int
    stopped: int
    gone: int


def record(connection: Connected, outcomes: Sequence[Outcome]) -> None:
    """Record each outcome. Repeated, late and reordered outcomes add events, and never a wrong status.

    A deferral moves the delivery back into the outbox until its time, unless another deferral did so before.

    A possible duplicate also marks a delivery whose status does not move: it may be reported after ``sent``.

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


def cancel(connection: Connected, notification_id: UUID, sight: Sight) -> Canceled:
    """Cancel the deliveries of a notification in sight that wait for their time. What is claimed counts as gone."""
    row = fetch_one(
        connection.execute(
            f"""
            with locked as (
                -- After it has waited for a row, this returns the row's newest version, which no one can change now.
                select d.delivery_id, d.round, d.status, {WAITS} as stops
                  from deliveries d where d.notification_id = (
                       select notification_id from notifications n
                        where notification_id = %(notification_id)s and {IN_SIGHT})
                 order by d.delivery_id for no key update
            ), stopped as (
                update deliveries d set status = 'canceled', reason = %(reason)s, updated_at = now()
                  from locked where d.delivery_id = locked.delivery_id and locked.stops
            ), recorded as (
                insert into delivery_events (delivery_id, round, result, at, reason)
                select delivery_id, round, 'canceled', now(), %(reason)s from locked where stops
            )
            select count(*) as deliveries,
                   count(*) filter (where stops or status = 'canceled') as stopped,
                   count(*) filter (where not stops and status in ('pending', 'queued', 'sent', 'delivered', 'bounced'))
                       as gone
              from locked
            """,
            {"notification_id": notification_id, "reason": Reason.CANCELED.value, **asdict(sight)},
        )
    )
    return Canceled(**row)


def _record(connection: Connected, outcomes: list[Outcome]) -> None:
    rows = [msgspec.json.encode(_row(outcome)).decode() for outcome in outcomes]
    connection.execute(
        """
        with locked as (
            -- After it has waited for a row, this returns the row's newest version, which no one can change now.
            select r.*, d.kind, d.recipient, d.status, d.round as current_round, d.deferrals as current_deferrals
              -- Postgres knows how many rows unnest returns. It expects a hundred from a function over a JSON array,
              -- and for so many it would rather read the whole of a table that is not large yet.
              from unnest(%(outcomes)s::text[]) as given (outcome)
              cross join json_populate_record(null::delivery_events, given.outcome::json) r
              join deliveries d using (delivery_id)
             order by delivery_id for no key update of d
        ), reported as (
            select l.*, l.round = l.current_round and exists (
                       select from delivery_moves m where m.before = l.status and m.after = l.result) as moves,
                   l.round = l.current_round and l.result = 'deferred' and l.deferrals = l.current_deferrals
                       and l.status in ('pending', 'queued') as defers
              from locked l
        ), recorded as (
            insert into delivery_events (delivery_id, round, result, at, received_at, attempt, deferrals, until, reason,
                                         detail, provider, provider_message_id, possible_duplicate)
            select delivery_id, round, result, at, received_at, attempt, deferrals, until, reason,
                   detail, provider, provider_message_id, possible_duplicate
              from reported
            on conflict (delivery_id, round, result, at) do nothing
        ), moved as (
            update deliveries d
               set status = case when r.moves then r.result when r.defers then 'pending' else d.status end,
                   sweep_at = case when r.defers then r.until else d.sweep_at end,
                   deferred_until = case when r.defers then r.until else d.deferred_until end,
                   deferrals = d.deferrals + r.defers::int,
                   reason = case when r.moves or r.defers then r.reason else d.reason end,
                   provider = case when r.moves or r.defers then coalesce(r.provider, d.provider) else d.provider end,
                   provider_message_id = case when r.moves then coalesce(r.provider_message_id, d.provider_message_id)
                                              else d.provider_message_id end,
                   possible_duplicate = d.possible_duplicate or r.possible_duplicate, updated_at = now()
              from reported r
             where d.delivery_id = r.delivery_id and d.round = r.round
               and (r.moves or r.defers or r.possible_duplicate and not d.possible_duplicate)
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
    row.setdefault("deferrals", 0)
    return row
