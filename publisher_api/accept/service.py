"""Accepts requests: a whole list in one transaction, with a constant number of statements.

A single POST is a list of one request. Each request succeeds or fails alone: a refused one does not affect the others.
The steps are apart: *load* reads what planning needs; *plan* renders templates while no connection is held; *limit*
takes tokens, if there are limits; *save* takes the keys' locks, looks again, and writes. When ``accept`` returns,
Postgres has committed. The deliveries that it returns only need to be published; if that never happens, the sweeper
finds them.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime

from postgres.pool import Pool, autocommit
from publisher_api.accept import store
from publisher_api.accept.answer import answer_to
from publisher_api.accept.idempotency import keys_of
from publisher_api.accept.limiting import limiting
from publisher_api.accept.model import AcceptContext, AcceptRequest, AcceptResult, Keys, PendingWrites
from publisher_api.accept.submission import Decision, Planner, Prepared
from publisher_api.configuration import Configuration
from publisher_api.limits.model import Quota
from publisher_api.limits.service import take
from publisher_api.outbox.message import Outgoing, message_of
from publisher_api.refusal import Refusal


def accept(
    pool: Pool,
    requests: Sequence[AcceptRequest],
    configuration: Configuration,
    *,
    now: datetime,
    new_id: Callable[[], str],
) -> tuple[list[AcceptResult | Refusal], list[Outgoing]]:
    """An answer for each request, and the messages to publish now.

    Raises ``psycopg.Error``; then nothing is stored, unless the connection was lost during the commit.
    """
    keys = keys_of(requests)
    context = _load(pool, requests, keys, now)
    planner = Planner(configuration, now, new_id)
    prepared = [planner.prepare(request, context) for request in requests]
    prepared, quotas = _limit(pool, requests, prepared, configuration)
    answers, writes = _save(pool, requests, prepared, keys, context, now)
    answers = [_with_quota(answer, quotas.get(number)) for number, answer in enumerate(answers)]
    return answers, _due_messages(writes, configuration, now)


def _load(pool: Pool, requests: Sequence[AcceptRequest], keys: Keys, now: datetime) -> AcceptContext:
    user_ids = {item.user_id for request in requests for item in request.valid_items}
    tenants = {item.tenant for request in requests for item in request.valid_items if item.tenant is not None}
    with autocommit(pool) as connection:
        return store.load_context(connection, user_ids, tenants, keys, now)


def _limit(
    pool: Pool, requests: Sequence[AcceptRequest], prepared: list[list[Prepared]], configuration: Configuration
) -> tuple[list[list[Prepared]], dict[int, Quota]]:
    """Take tokens, and commit that at once: a bucket is locked for one statement, and not while rows are written.

    What is refused after this, or lost with the process, has taken its tokens in vain. So there are never more
    notifications than the limits allow.
    """
    if not configuration.limits:
        return prepared, {}
    asked = limiting(requests, prepared, configuration)
    return asked.apply(take(pool, asked.claims)) if asked.claims else (prepared, {})


def _with_quota(answer: AcceptResult | Refusal, quota: Quota | None) -> AcceptResult | Refusal:
    if quota is None or isinstance(answer, Refusal) or answer.replayed:
        return answer
    return replace(answer, quota=quota)


def _save(
    pool: Pool,
    requests: Sequence[AcceptRequest],
    prepared: Sequence[list[Prepared]],
    keys: Keys,
    context: AcceptContext,
    now: datetime,
) -> tuple[list[AcceptResult | Refusal], PendingWrites]:
    # The keys' locks are held until the transaction ends. Without keys the one INSERT is a transaction by itself.
    with autocommit(pool) as connection, connection.transaction() if keys else nullcontext():
        known, busy = context.keys, Keys(frozenset(), frozenset(), frozenset())
        if keys:
            busy = store.lock_keys(connection, keys)
            known = store.load_keys(connection, keys, now)  # again: another transaction may have committed since
        decision = Decision(known, busy, now, PendingWrites())
        answers = [answer_to(decision, request, plans) for request, plans in zip(requests, prepared, strict=True)]
        if decision.writes:
            store.save(connection, decision.writes)
    return answers, decision.writes


def _due_messages(writes: PendingWrites, configuration: Configuration, now: datetime) -> list[Outgoing]:
    notifications = {record.notification_id: record for record in writes.notifications}
    return [
        Outgoing(
            notifications[record.notification_id].producer,
            message_of(notifications[record.notification_id], record, configuration.channels[record.channel]),
        )
        for record in writes.deliveries
        if record.status == "pending" and record.due_at <= now and record.deferred_until is None
    ]
