"""Limits: what is declared, a bucket of tokens for each producer, user and channel, and the function that takes tokens.

The buckets are unlogged. After a crash of Postgres each is full, and no token needs a write to disk.

Revision ID: 0016
"""

from typing import Any

from alembic import op

revision = "0016"
down_revision = "0015"

SCHEMA = """
create table limits (
    scope       text primary key,
    declaration jsonb not null,  -- the fields of the API
    updated_at  timestamptz not null default now()
);
create trigger limits_changed after insert or update or delete on limits
    for each statement execute function tell_catalog();

-- A bucket that is full has no row, or one whose time has passed.
create unlogged table limit_buckets (
    bucket    text primary key,
    full_at   timestamptz not null,  -- when it is full, if nothing more is taken
    refill    bigint not null,       -- tokens in each window, when something was last taken
    window_us bigint not null
) with (fillfactor = 50);

-- Takes tokens for claims, in their order.
--
-- A bucket holds up to "burst" tokens, and gets "limit" tokens in each window, evenly. "owed" is what it lacks to be
-- full, in tokens times the microseconds of the window, so that all arithmetic is in whole numbers. From a bucket with
-- a queue, the tokens of the next "queue_us" microseconds can be taken too, each for the time at which it is there.
--
-- asked: {"buckets": [{bucket, limit, window_us, burst, queue_us}],
--         "claims": [{producer, amount, user, channels, after}]}
--        producer, user and channels are positions of buckets, and after is that of an earlier claim; all count from 1.
-- A claim is refused (1) by its producer's bucket, or because the claim after which it comes was; or (2) by its user's
-- bucket. A claim that is not refused takes a token of each of its channels, where there is one.
-- Returns {"refused": [0 | 1 | 2 for each claim], "owed": [for each bucket, afterwards],
--          "waits": [for each channel of each claim, microseconds until its token is there; -1 if it got none]}.
create function take_tokens(asked json) returns json language plpgsql as $$
declare
    keys text[];
    limits bigint[];
    windows bigint[];
    bursts bigint[];
    capacities bigint[];  -- with the queue; like bursts and owed, in tokens times the window
    owed bigint[];
    refused int[] := '{}';
    waits bigint[] := '{}';
    at timestamptz;
    claim record;
    channel int;
    ahead bigint;
    verdict int;
begin
    -- Creates the buckets that are missing and locks the others, in one order for all, so that none waits for another.
    insert into limit_buckets (bucket, full_at, refill, window_us)
    select bucket, now(), "limit", window_us
      from json_to_recordset(asked->'buckets') as b(bucket text, "limit" bigint, window_us bigint) order by bucket
        on conflict (bucket) do update set full_at = excluded.full_at where false;
    at := clock_timestamp();  -- after the locks: not before the time of the transaction that held them

    select array_agg(a.bucket order by a.position), array_agg(a."limit" order by a.position),
           array_agg(a.window_us order by a.position), array_agg(a.burst * a.window_us order by a.position),
           array_agg(a.burst * a.window_us + a.queue_us * a."limit" order by a.position),
           -- After a change of the limit, it owes as many tokens as before, but not more than it holds now.
           array_agg(least(
               ceil(greatest(extract(epoch from b.full_at - at)::numeric * 1000000, 0) * b.refill * a.window_us
                    / b.window_us),
               a.burst * a.window_us + a.queue_us * a."limit")::bigint order by a.position)
      into keys, limits, windows, bursts, capacities, owed
      from rows from (json_to_recordset(asked->'buckets')
                      as (bucket text, "limit" bigint, window_us bigint, burst bigint, queue_us bigint))
           with ordinality as a (bucket, "limit", window_us, burst, queue_us, position)
      join limit_buckets b using (bucket);

    for claim in
        select * from json_to_recordset(asked->'claims')
                      as c(producer int, amount bigint, "user" int, channels int[], after int)
    loop
        verdict := 0;
        if claim.after is not null and refused[claim.after] = 1 then
            verdict := 1;
        elsif claim.producer is not null then
            if owed[claim.producer] + claim.amount * windows[claim.producer] > capacities[claim.producer] then
                verdict := 1;
            else
                owed[claim.producer] := owed[claim.producer] + claim.amount * windows[claim.producer];
            end if;
        end if;
        if verdict = 0 and claim."user" is not null then
            if owed[claim."user"] + windows[claim."user"] > capacities[claim."user"] then
                verdict := 2;
            else
                owed[claim."user"] := owed[claim."user"] + windows[claim."user"];
            end if;
        end if;
        refused := refused || verdict;
        foreach channel in array claim.channels loop
            if verdict > 0 or owed[channel] + windows[channel] > capacities[channel] then
                waits := waits || -1::bigint;
            else
                owed[channel] := owed[channel] + windows[channel];
                ahead := owed[channel] - bursts[channel];
                waits := waits || greatest(0, (ahead + limits[channel] - 1) / limits[channel]);
            end if;
        end loop;
    end loop;

    update limit_buckets b set full_at = new.full_at, refill = new.refill, window_us = new.window_us
      from (select bucket, refill, window_us, at + (owes + refill - 1) / refill * interval '1 microsecond' as full_at
              from unnest(keys, limits, windows, owed) as each (bucket, refill, window_us, owes)) as new
     where b.bucket = new.bucket and (b.full_at, b.refill, b.window_us) <> (new.full_at, new.refill, new.window_us);
    return json_build_object('refused', refused, 'waits', waits, 'owed', owed);
end $$;
"""


def upgrade() -> None:
    # psycopg itself accepts many statements at once, as long as there are no parameters.
    connection: Any = op.get_bind().connection.driver_connection
    connection.execute(SCHEMA)
