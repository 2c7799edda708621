"""What accepting reads and writes in Postgres: a constant number of statements, however many notifications there are.

A statement gets the rows that it writes as one JSON text: Postgres parses it faster than Python adapts arrays.
"""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from postgres.pool import Connected, fetch_one
from publisher_api.accept.model import (
    AcceptContext,
    DedupRecord,
    IdempotencyRecord,
    Keys,
    KnownKeys,
    KnownNotification,
    PendingWrites,
    ProducerKey,
)
from publisher_api.users.model import User


class _Found(msgspec.Struct, frozen=True, kw_only=True):
    users: list[User] = msgspec.field(default_factory=list)
    dedup: list[DedupRecord] = msgspec.field(default_factory=list)
    idempotency: list[IdempotencyRecord] = msgspec.field(default_factory=list)
    notifications: list[KnownNotification] = msgspec.field(default_factory=list)

    @property
    def keys(self) -> KnownKeys:
        return KnownKeys(
            dedup={(record.producer, record.dedup_key): record for record in self.dedup},
            idempotency={(record.producer, record.idempotency_key): record for record in self.idempotency},
            notifications={record.notification_id: record for record in self.notifications},
        )


_found = msgspec.json.Decoder(_Found)

_USERS = """
    select coalesce(json_agg(json_build_object(
               'user_id', asked.user_id, 'email', u.email, 'phone', u.phone, 'locale', u.locale, 'timezone', u.timezone,
               'attributes', coalesce(u.attributes, '{}'), 'preferences', coalesce(p.document, '{}'),
               'tenants', coalesce(t.documents, '{}'),
               'devices', (select coalesce(json_agg(d.token order by d.seen_at desc), '[]')
                             from devices d where d.user_id = asked.user_id))), '[]')
      from unnest(%(user_ids)s::text[]) as asked (user_id)
      left join users u using (user_id)
      left join preferences p using (user_id)
      left join lateral (select json_object_agg(tenant, document) as documents from tenant_preferences
                          where user_id = asked.user_id and tenant = any(%(tenants)s)) as t on true
     where u.user_id is not null or p.user_id is not null or t.documents is not null
"""
# Postgres knows how many rows unnest returns. It expects a hundred from a function over a JSON array, and for so many
# it would rather read the whole of a table that is not large yet.
_KEYS = """
    'dedup', (
        select coalesce(json_agg(d), '[]')
          from unnest(%(dedup_producers)s::text[], %(dedup_keys)s::text[]) as k(producer, key)
          join dedup_keys d on d.producer = k.producer and d.dedup_key = k.key
         where d.expires_at > %(now)s),
    'idempotency', (
        select coalesce(json_agg(i), '[]')
          from unnest(%(idempotency_producers)s::text[], %(idempotency_keys)s::text[]) as k(producer, key)
          join idempotency_keys i on i.producer = k.producer and i.idempotency_key = k.key
         where i.expires_at > %(now)s),
    'notifications', (
        select coalesce(json_agg(json_build_object(
                   'notification_id', n.notification_id, 'producer', n.producer, 'tenant', n.tenant)), '[]')
          from notifications n where n.notification_id = any(%(notification_ids)s::uuid[]))
"""


def load_context(
    connection: Connected, user_ids: Iterable[str], tenants: Iterable[str], keys: Keys, now: datetime
) -> AcceptContext:
    """The users, with their preferences within ``tenants`` too, and what is stored under the keys: in one statement."""
    parameters = {"user_ids": list(user_ids), "tenants": list(tenants), **_key_parameters(keys, now)}
    statement = f"select json_build_object('users', ({_USERS}), {_KEYS})::text as found"
    if not keys:
        statement = f"select json_build_object('users', ({_USERS}))::text as found"
    found = _found.decode(fetch_one(connection.execute(statement, parameters))["found"])
    return AcceptContext({user.user_id: user for user in found.users}, found.keys)


def load_keys(connection: Connected, keys: Keys, now: datetime) -> KnownKeys:
    """What is stored under the keys."""
    statement = f"select json_build_object({_KEYS})::text as found"
    return _found.decode(fetch_one(connection.execute(statement, _key_parameters(keys, now)))["found"]).keys


def lock_keys(connection: Connected, keys: Keys) -> Keys:
    """Hold these keys until the transaction ends; returns the keys that another transaction holds.

    Does not wait: one request that waited would delay every request of its batch.
    """
    rows = connection.execute(
        """
        select producer, key, what,
               pg_try_advisory_xact_lock(hashtextextended(what || producer || ' ' || key, 0)) as mine
          from json_to_recordset(%s::json) as k(producer text, key text, what text)
        """,
        [
            _json(
                [{"producer": producer, "key": key, "what": "dedup"} for producer, key in keys.dedup]
                + [{"producer": producer, "key": key, "what": "idempotency"} for producer, key in keys.idempotency]
                # An id belongs to no producer: two that use the same one must meet.
                + [{"producer": "", "key": each, "what": "notification"} for each in keys.notification_ids],
            ),
        ],
    ).fetchall()
    busy: dict[str, set[ProducerKey]] = {"dedup": set(), "idempotency": set(), "notification": set()}
    for row in rows:
        if not row["mine"]:
            busy[row["what"]].add((row["producer"], row["key"]))
    return Keys(
        dedup=frozenset(busy["dedup"]),
        idempotency=frozenset(busy["idempotency"]),
        notification_ids=frozenset(key for _, key in busy["notification"]),
    )


def save(connection: Connected, writes: PendingWrites) -> None:
    """Write the notifications, their deliveries (the outbox), and what their keys answer from now on."""
    connection.execute(
        """
        with accepted as (
            insert into notifications
                  (notification_id, producer, user_id, event_type, actor_user_id, tenant, channels, payload,
                   template_name, template_version, tenant_template_version, locale, dedup_key, priority, deliver_at,
                   traceparent, created_at, accepted_at, inbox_at)
            select notification_id, producer, user_id, event_type, actor_user_id, tenant, channels, payload,
                   template_name, template_version, tenant_template_version, locale, dedup_key, priority, deliver_at,
                   traceparent, created_at, accepted_at, inbox_at
              from json_populate_recordset(null::notifications, %(notifications)s::json)
        ),
        planned as (
            insert into deliveries
                  (delivery_id, notification_id, kind, slug, round, status, reason, recipient, content,
                   due_at, held_by, expires_at, sweep_at, urgent, deferred_until, updated_at)
            select delivery_id, notification_id, kind, slug, round, status, reason, recipient, content,
                   due_at, held_by, expires_at, sweep_at, urgent, deferred_until, now()
              from json_populate_recordset(null::deliveries, %(deliveries)s::json)
            returning delivery_id, round, reason, due_at, deferred_until
        ),
        deferred as (
            insert into delivery_events (delivery_id, round, result, at, until, reason)
            select delivery_id, round, 'deferred', due_at, deferred_until, reason
              from planned where deferred_until is not null
        ),
        deduplicated as (
            insert into dedup_keys (producer, dedup_key, notification_id, expires_at)
            select producer, dedup_key, notification_id, expires_at
              from json_populate_recordset(null::dedup_keys, %(dedup)s::json)
                on conflict (producer, dedup_key)
                   do update set notification_id = excluded.notification_id, expires_at = excluded.expires_at
        )
        insert into idempotency_keys (producer, idempotency_key, body_hash, answer, expires_at)
        select producer, idempotency_key, body_hash, answer, expires_at
          from json_populate_recordset(null::idempotency_keys, %(idempotency)s::json)
            on conflict (producer, idempotency_key)
               do update set body_hash = excluded.body_hash, answer = excluded.answer, expires_at = excluded.expires_at
        """,
        {
            "notifications": _json(writes.notifications),
            "deliveries": _json(writes.deliveries),
            "dedup": _json(list(writes.dedup.values())),
            "idempotency": _json(list(writes.idempotency.values())),
        },
    )


def _key_parameters(keys: Keys, now: datetime) -> dict[str, object]:
    return {
        "dedup_producers": [producer for producer, _ in keys.dedup],
        "dedup_keys": [key for _, key in keys.dedup],
        "idempotency_producers": [producer for producer, _ in keys.idempotency],
        "idempotency_keys": [key for _, key in keys.idempotency],
        "notification_ids": list(keys.notification_ids),
        "now": now,
    }


def _json(rows: object) -> str:
    return msgspec.json.encode(rows).decode()
