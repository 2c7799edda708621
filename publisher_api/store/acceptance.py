"""What accepting reads and writes: three statements a batch, however many notifications are in it.

Everything goes over as one JSON text a statement: Postgres takes it apart faster than Python adapts arrays.
"""

from datetime import datetime
from typing import Any

import msgspec

from publisher_api.store.pool import Connected, one
from publisher_api.store.rows import DeliveryRow, NotificationRow

ProducerKey = tuple[str, str]


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A ``dedup_key`` that now leads to a notification."""

    producer: str
    dedup_key: str
    notification_id: str
    expires_at: datetime


class AnswerRow(msgspec.Struct, frozen=True, kw_only=True):
    """The answer that an ``Idempotency-Key`` gives from now on."""

    producer: str
    idempotency_key: str
    body_hash: str
    answer: dict[str, Any]
    expires_at: datetime


class PersonRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a person. ``devices`` are registration tokens, the newest first."""

    user_id: str
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    timezone: str | None = None
    devices: list[str] = msgspec.field(default_factory=list)


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``read_facts``."""

    people: list[PersonRow]
    dedup_keys: list[KeyRow]
    answers: list[AnswerRow]


_known = msgspec.json.Decoder(Known)


def lock_keys(
    connection: Connected,
    dedup: list[ProducerKey],
    idempotency: list[ProducerKey],
) -> tuple[set[ProducerKey], set[ProducerKey]]:
    """Hold these keys until the transaction ends; the answer is those that somebody else holds, dedup keys first.

    Nothing is waited for: a batch that waited would make everybody wait who is in it.
    """
    rows = connection.execute(
        """
        select producer, key, what,
               pg_try_advisory_xact_lock(hashtextextended(what || producer || ' ' || key, 0)) as mine
          from json_to_recordset(%s::json) as k(producer text, key text, what text)
        """,
        [
            _json(
                [{"producer": producer, "key": key, "what": "dedup"} for producer, key in dedup]
                + [{"producer": producer, "key": key, "what": "idempotency"} for producer, key in idempotency],
            ),
        ],
    ).fetchall()
    busy: dict[str, set[ProducerKey]] = {"dedup": set(), "idempotency": set()}
    for row in rows:
        if not row["mine"]:
            busy[row["what"]].add((row["producer"], row["key"]))
    return busy["dedup"], busy["idempotency"]


def read_facts(
    connection: Connected,
    user_ids: list[str],
    dedup: list[ProducerKey],
    idempotency: list[ProducerKey],
    now: datetime,
) -> Known:
    """Everything that planning wants to know, in one statement."""
    cursor = connection.execute(
        """
        select json_build_object(
            'people', (
                select coalesce(json_agg(json_build_object(
                           'user_id', u.user_id, 'email', u.email, 'phone', u.phone,
                           'locale', u.locale, 'timezone', u.timezone, 'devices', (
                               select coalesce(json_agg(d.token order by d.seen_at desc), '[]')
                                 from devices d where d.user_id = u.user_id))), '[]')
                  from users u where u.user_id = any(%(user_ids)s)),
            'dedup_keys', (
                select coalesce(json_agg(d), '[]')
                  from json_to_recordset(%(dedup)s::json) as k(producer text, key text)
                  join dedup_keys d on d.producer = k.producer and d.dedup_key = k.key
                 where d.expires_at > %(now)s),
            'answers', (
                select coalesce(json_agg(i), '[]')
                  from json_to_recordset(%(idempotency)s::json) as k(producer text, key text)
                  join idempotency_keys i on i.producer = k.producer and i.idempotency_key = k.key
                 where i.expires_at > %(now)s)
        )::text as facts
        """,
        {"user_ids": user_ids, "dedup": _pairs(dedup), "idempotency": _pairs(idempotency), "now": now},
    )
    return _known.decode(one(cursor)["facts"])


def insert_accepted(
    connection: Connected,
    notifications: list[NotificationRow],
    deliveries: list[DeliveryRow],
    dedup_keys: list[KeyRow],
    answers: list[AnswerRow],
) -> None:
    """Write the notifications, their deliveries (the outbox), and what their keys answer from now on."""
    connection.execute(
        """
        with accepted as (
            insert into notifications
                  (notification_id, producer, user_id, event_type, actor_user_id, channels, payload,
                   template_name, dedup_key, priority, deliver_at, traceparent, created_at, inbox_at)
            select notification_id, producer, user_id, event_type, actor_user_id, channels, payload,
                   template_name, dedup_key, priority, deliver_at, traceparent, created_at, inbox_at
              from json_populate_recordset(null::notifications, %(notifications)s::json)
        ),
        planned as (
            insert into deliveries
                  (delivery_id, notification_id, kind, slug, round, status, reason, recipient, content,
                   due_at, expires_at, sweep_at, updated_at)
            select delivery_id, notification_id, kind, slug, round, status, reason, recipient, content,
                   due_at, expires_at, sweep_at, now()
              from json_populate_recordset(null::deliveries, %(deliveries)s::json)
        ),
        deduplicated as (
            insert into dedup_keys (producer, dedup_key, notification_id, expires_at)
            select producer, dedup_key, notification_id, expires_at
              from json_populate_recordset(null::dedup_keys, %(dedup_keys)s::json)
                on conflict (producer, dedup_key)
                   do update set notification_id = excluded.notification_id, expires_at = excluded.expires_at
        )
        insert into idempotency_keys (producer, idempotency_key, body_hash, answer, expires_at)
        select producer, idempotency_key, body_hash, answer, expires_at
          from json_populate_recordset(null::idempotency_keys, %(answers)s::json)
            on conflict (producer, idempotency_key)
               do update set body_hash = excluded.body_hash, answer = excluded.answer, expires_at = excluded.expires_at
        """,
        {
            "notifications": _json(notifications),
            "deliveries": _json(deliveries),
            "dedup_keys": _json(dedup_keys),
            "answers": _json(answers),
        },
    )


def forget_expired_keys(connection: Connected, now: datetime) -> None:
    """Remove the keys whose window has passed."""
    connection.execute("delete from dedup_keys where expires_at <= %s", [now])
    connection.execute("delete from idempotency_keys where expires_at <= %s", [now])


def _pairs(keys: list[ProducerKey]) -> str:
    return _json([{"producer": producer, "key": key} for producer, key in keys])


def _json(rows: object) -> str:
    return msgspec.json.encode(rows).decode()
