"""Accepting: from requests to committed rows, a whole batch in one transaction with a constant number of statements.

A single POST is a batch of one. Each submission succeeds or fails alone; what a wrong one is told never touches the
others. When this returns, Postgres has committed: the deliveries it hands back only need to be published, and if that
never happens the sweep finds them.
"""

import hashlib
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from publisher_api.accept.plan import plan
from publisher_api.accept.request import NotificationRequest
from publisher_api.errors import Problem
from publisher_api.store import acceptance
from publisher_api.store.acceptance import AnswerRow, KeyRow, PersonRow, ProducerKey
from publisher_api.store.catalog import Snapshot
from publisher_api.store.pool import Pool, statements
from publisher_api.store.rows import DeliveryRow, NotificationRow, envelope_of
from shared.envelope import Delivery

ACCEPTED = 202
REFUSED = 422
# Templates make much of little, and all of a batch is in memory, and in one statement.
MAX_BATCH_CONTENT_BYTES = 16 * 1024**2
KEY_WINDOW = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Submission:
    """One HTTP request's worth: a single notification, or the items of a batch (some of them wrong already).

    ``idempotency_key`` is the header's, ``body`` what it is bound to.
    """

    producer: str
    items: Sequence[NotificationRequest | Problem]
    batch: bool = False
    idempotency_key: str | None = None
    body: bytes = b""
    traceparent: str | None = None

    @property
    def body_hash(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class Answer:
    """What to tell the producer. ``replayed``: it was told so before, for the same ``Idempotency-Key``."""

    status: int
    body: dict[str, Any]
    replayed: bool = False


@dataclass(slots=True)
class _Work:
    """What a batch is going to write."""

    notifications: list[NotificationRow]
    deliveries: list[DeliveryRow]
    dedup_keys: dict[ProducerKey, KeyRow]
    answers: dict[ProducerKey, AnswerRow]
    busy_dedup_keys: set[ProducerKey]


def accept(
    pool: Pool,
    submissions: Sequence[Submission],
    catalog: Snapshot,
    *,
    now: datetime,
    new_id: Callable[[], str],
) -> tuple[list[Answer | Problem], list[Delivery]]:
    """An answer for each submission, and the messages to publish now. Raises ``psycopg.Error``; then nothing is
    stored.
    """
    idempotency = {(s.producer, s.idempotency_key) for s in submissions if s.idempotency_key}
    dedup = {key for s in submissions for key in _dedup_keys(s)}
    user_ids = {item.user_id for s in submissions for item in s.items if isinstance(item, NotificationRequest)}
    keyed = bool(dedup or idempotency)
    # Keys are held until the transaction ends. Without any, the one INSERT is a transaction by itself.
    with statements(pool) as connection, connection.transaction() if keyed else nullcontext():
        busy_dedup: set[ProducerKey] = set()
        busy_idempotency: set[ProducerKey] = set()
        if keyed:
            busy_dedup, busy_idempotency = acceptance.lock_keys(connection, list(dedup), list(idempotency))
        known = acceptance.read_facts(connection, list(user_ids), list(dedup), list(idempotency), now)
        people = {person.user_id: person for person in known.people}
        work = _Work([], [], {(key.producer, key.dedup_key): key for key in known.dedup_keys}, {}, busy_dedup)
        earlier = {(answer.producer, answer.idempotency_key): answer for answer in known.answers}
        old_keys = set(work.dedup_keys)

        answers: list[Answer | Problem] = []
        for submission in submissions:
            key = (submission.producer, submission.idempotency_key or "")
            if submission.idempotency_key and (key in busy_idempotency or key in work.answers):
                answers.append(_in_flight("Idempotency-Key"))
            elif key in earlier:
                answers.append(_replay(submission, earlier[key]))
            elif submission.idempotency_key and not busy_dedup.isdisjoint(_dedup_keys(submission)):
                # None of it, rather than that the key should give for a day a refusal of what was only too soon.
                answers.append(_in_flight("dedup_key"))
            else:
                answers.append(_plan_submission(submission, work, people, catalog, now, new_id))
        if work.notifications or work.answers:
            new_keys = [row for key, row in work.dedup_keys.items() if key not in old_keys]
            acceptance.insert_accepted(
                connection,
                work.notifications,
                work.deliveries,
                new_keys,
                list(work.answers.values()),
            )
    return answers, _due_messages(work, catalog, now)


def _dedup_keys(submission: Submission) -> list[ProducerKey]:
    requests = [item for item in submission.items if isinstance(item, NotificationRequest)]
    return [(submission.producer, request.dedup_key) for request in requests if request.dedup_key]


def _in_flight(name: str) -> Problem:
    detail = f"A request with this {name} is being answered right now. Send it again in a moment."
    return Problem(409, "in_flight", detail, headers={"Retry-After": "1"})


def _replay(submission: Submission, earlier: AnswerRow) -> Answer | Problem:
    if earlier.body_hash != submission.body_hash:
        detail = (
            "This Idempotency-Key was used with another body in the last 24 hours. Use a new key for a new request."
        )
        return Problem(422, "idempotency_key_reused", detail, fields=[("Idempotency-Key", "belongs to another body")])
    return Answer(earlier.answer["status"], earlier.answer["body"], replayed=True)


def _plan_submission(
    submission: Submission,
    work: _Work,
    people: dict[str, PersonRow],
    catalog: Snapshot,
    now: datetime,
    new_id: Callable[[], str],
) -> Answer | Problem:
    results: list[dict[str, Any] | Problem] = []
    content_bytes = 0
    for item in submission.items:
        if isinstance(item, Problem):
            results.append(item)
            continue
        key = (submission.producer, item.dedup_key or "")
        if item.dedup_key and key in work.dedup_keys:
            first = work.dedup_keys[key].notification_id
            results.append({"notification_id": first, "status": "queued", "duplicate": True})
            continue
        if key in work.busy_dedup_keys:
            results.append(_in_flight("dedup_key"))
            continue
        person = people.get(item.user_id) or PersonRow(user_id=item.user_id)
        try:
            planned = plan(
                item,
                submission.producer,
                person,
                catalog,
                now=now,
                new_id=new_id,
                traceparent=submission.traceparent,
            )
        except Problem as problem:
            results.append(problem)
            continue
        if content_bytes + planned.content_bytes > MAX_BATCH_CONTENT_BYTES:
            results.append(_too_much_content())
            continue
        content_bytes += planned.content_bytes
        notification_id = planned.notification.notification_id
        work.notifications.append(planned.notification)
        work.deliveries.extend(planned.deliveries)
        if item.dedup_key:
            work.dedup_keys[key] = KeyRow(
                producer=submission.producer,
                dedup_key=item.dedup_key,
                notification_id=notification_id,
                expires_at=now + KEY_WINDOW,
            )
        results.append({"notification_id": notification_id, "status": "queued"})
    answer = _batch_answer(results) if submission.batch else _single_answer(results[0])
    if submission.idempotency_key and isinstance(answer, Answer) and answer.status == ACCEPTED:
        work.answers[submission.producer, submission.idempotency_key] = AnswerRow(
            producer=submission.producer,
            idempotency_key=submission.idempotency_key,
            body_hash=submission.body_hash,
            answer={"status": answer.status, "body": answer.body},
            expires_at=now + KEY_WINDOW,
        )
    return answer


def _too_much_content() -> Problem:
    megabytes = MAX_BATCH_CONTENT_BYTES // 1024**2
    return Problem(413, "too_large", f"The batch says more than {megabytes} MB in all. Send it in smaller parts.")


def _single_answer(result: dict[str, Any] | Problem) -> Answer | Problem:
    return result if isinstance(result, Problem) else Answer(ACCEPTED, result)


def _batch_answer(results: list[dict[str, Any] | Problem]) -> Answer | Problem:
    """202 with a result an item, in the request's order; a problem with the results when every item was refused."""
    accepted = sum(not isinstance(result, Problem) for result in results)
    body = {
        "accepted": accepted,
        "rejected": len(results) - accepted,
        "results": [
            {"index": index, "status": "rejected", "problem": result.body()}
            if isinstance(result, Problem)
            else {"index": index, **result}
            for index, result in enumerate(results)
        ],
    }
    if accepted:
        return Answer(ACCEPTED, body)
    detail = f"None of the {len(results)} notifications was accepted; `results` says why not."
    return Problem(REFUSED, "nothing_accepted", detail, more=body)


def _due_messages(work: _Work, catalog: Snapshot, now: datetime) -> list[Delivery]:
    notifications = {row.notification_id: row for row in work.notifications}
    return [
        envelope_of(notifications[row.notification_id], row, catalog.channels[row.slug])
        for row in work.deliveries
        if row.status == "pending" and row.due_at <= now
    ]
