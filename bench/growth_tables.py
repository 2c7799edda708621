"""Fills the tables with notifications that were sent, by SQL."""

from datetime import datetime

from postgres.pool import Connected

PER_USER = 50
"""How many notifications each user has: an installation grows by its users."""
FULL = ("notifications", "deliveries", "delivery_events", "dedup_keys", "users")
"""The tables that grow."""
# Ids of version 7 and times grow together, 10 ms apart, up to now.
_FILL = """
    with numbered as materialized (
        select number, 'user-' || mod(number, %(users)s) as user_id,
               %(now)s - (%(count)s - number) * interval '10 ms' as at
          from generate_series(1, %(count)s) as number
    ), named as materialized (
        select number, user_id, at, (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7'
                   || substr(md5('n' || number), 1, 3) || '8' || substr(md5('n' || number), 4, 15))::uuid as n,
               (lpad(to_hex((extract(epoch from at) * 1000)::bigint), 12, '0') || '7'
                   || substr(md5('d' || number), 1, 3) || '8' || substr(md5('d' || number), 4, 15))::uuid as d
          from numbered
    ), accepted as (
        insert into notifications (notification_id, producer, user_id, event_type, channels, payload, dedup_key,
                                   priority, created_at, accepted_at, inbox_at, read_at)
        select n, 'bench', user_id, 'payment-' || mod(number, 20), '{inapp}', '{"amount": 10}', 'key-' || number, 100,
               at, at, at, case when mod(number / %(users)s, 2) = 0 then at end
          from named order by number
    ), planned as (
        insert into deliveries (delivery_id, notification_id, kind, slug, status, recipient, content, due_at,
                                expires_at, sweep_at, queued_at, updated_at)
        select d, n, 'inapp', 'inapp', 'sent', user_id, '{"title": "Paid", "body": "You paid 10."}', at,
               at + interval '1 day', at, at, at
          from named order by number
    ), reported as (
        insert into delivery_events (delivery_id, round, result, at) select d, 0, 'sent', at from named order by number
    )
    insert into dedup_keys (producer, dedup_key, notification_id, expires_at)
    select 'bench', 'key-' || number, n, %(now)s + interval '1 day' from named order by number
"""


def fill(connection: Connected, count: int, now: datetime) -> None:
    """Add ``count`` notifications of ``count / PER_USER`` users, each with a delivery, an event and a dedup_key."""
    users = count // PER_USER
    connection.execute("set statement_timeout = 0")
    connection.execute(
        "insert into users (user_id, email) select 'user-' || number, 'user-' || number || '@example.com'"
        " from generate_series(0, %s) as number",
        [users - 1],
    )
    connection.execute(_FILL, {"count": count, "users": users, "now": now})
    connection.commit()
    connection.autocommit = True
    for table in FULL:
        connection.execute(f"vacuum analyze {table}")
    connection.autocommit = False
