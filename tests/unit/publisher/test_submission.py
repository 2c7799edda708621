"""What a request is answered: new, repeated, in progress, or refused; alone and in a batch."""

import itertools
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from publisher_api.accept.answer import answer_to
from publisher_api.accept.idempotency import keys_of
from publisher_api.accept.model import (
    AcceptContext,
    AcceptRequest,
    AcceptResult,
    DedupRecord,
    IdempotencyRecord,
    Keys,
    KnownKeys,
    KnownNotification,
    PendingWrites,
)
from publisher_api.accept.submission import Decision, Planner
from publisher_api.refusal import Refusal, RefusalCode
from tests.unit.publisher.planned import NOW, configuration, request

NOTHING_BUSY = Keys(frozenset(), frozenset(), frozenset())


def accept_request(*items: Any, **fields: Any) -> AcceptRequest:
    return AcceptRequest("shop", items or [request()], **fields)


def decided(
    *requests: AcceptRequest, known: KnownKeys | None = None, busy: Keys = NOTHING_BUSY
) -> tuple[list[AcceptResult | Refusal], PendingWrites]:
    known = known or KnownKeys()
    ids = itertools.count()
    planner = Planner(configuration(), NOW, lambda: f"id-{next(ids)}")
    decision = Decision(known, busy, NOW, PendingWrites())
    context = AcceptContext({}, known)
    return [answer_to(decision, each, planner.prepare(each, context)) for each in requests], decision.writes


def body(answer: AcceptResult | Refusal) -> dict[str, Any]:
    assert isinstance(answer, AcceptResult)
    return answer.body


def code(answer: AcceptResult | Refusal) -> RefusalCode:
    assert isinstance(answer, Refusal)
    return answer.code


def dedup(key: str = "k", notification_id: str = "first") -> KnownKeys:
    record = DedupRecord(producer="shop", dedup_key=key, notification_id=notification_id, expires_at=NOW)
    return KnownKeys(dedup={("shop", key): record})


def test_a_new_request_is_queued_and_written() -> None:
    [answer], writes = decided(accept_request())
    assert body(answer) == {"notification_id": writes.notifications[0].notification_id, "status": "queued"}
    assert len(writes.deliveries) == 1


def test_a_known_dedup_key_answers_the_first_notification_and_writes_nothing() -> None:
    [answer], writes = decided(accept_request(request(dedup_key="k")), known=dedup())
    assert body(answer) == {"notification_id": "first", "status": "queued", "duplicate": True}
    assert not writes


def test_one_dedup_key_twice_in_one_transaction_makes_one_notification() -> None:
    same = [accept_request(request(dedup_key="k")) for _ in range(2)]
    [first, second], writes = decided(*same)
    assert body(second) == {**body(first), "duplicate": True}
    assert len(writes.notifications) == 1


def test_a_dedup_key_that_another_transaction_holds_is_in_flight() -> None:
    busy = Keys(frozenset({("shop", "k")}), frozenset(), frozenset())
    [answer], writes = decided(accept_request(request(dedup_key="k")), busy=busy)
    assert code(answer) is RefusalCode.IN_FLIGHT
    assert not writes


def test_one_notification_id_twice_is_the_same_notification() -> None:
    same = [accept_request(request(notification_id=UUID(int=7))) for _ in range(2)]
    [first, second], writes = decided(*same)
    assert body(first) == {"notification_id": str(UUID(int=7)), "status": "queued"}
    assert body(second) == {**body(first), "duplicate": True}
    assert len(writes.notifications) == 1


@pytest.mark.parametrize(("producer", "expected"), [("shop", None), ("another", RefusalCode.NOTIFICATION_ID_TAKEN)])
def test_a_stored_notification_id_answers_its_own_producer_only(producer: str, expected: RefusalCode | None) -> None:
    given = uuid4()
    known = KnownKeys(notifications={str(given): KnownNotification(notification_id=str(given), producer=producer)})
    [answer], writes = decided(accept_request(request(notification_id=given)), known=known)
    assert not writes
    if expected:
        assert code(answer) is expected
    else:
        assert body(answer)["duplicate"] is True


def test_a_notification_id_and_a_dedup_key_of_two_notifications_are_refused() -> None:
    given = uuid4()
    by_id = KnownKeys(notifications={str(given): KnownNotification(notification_id=str(given), producer="shop")})
    known = replace(by_id, dedup=dedup("k", "first").dedup)
    [answer], writes = decided(accept_request(request(notification_id=given, dedup_key="k")), known=known)
    assert code(answer) is RefusalCode.NOTIFICATION_ID_TAKEN
    assert not writes


def test_a_new_notification_id_with_a_known_dedup_key_answers_the_first_notification() -> None:
    [answer], writes = decided(accept_request(request(notification_id=uuid4(), dedup_key="k")), known=dedup())
    assert body(answer)["notification_id"] == "first"
    assert not writes


@pytest.mark.parametrize("items", [[request(dedup_key="k")], [request()]], ids=["dedup_key", "Idempotency-Key"])
def test_a_key_that_expires_between_the_two_looks_refuses_the_whole_request(items: list[Any]) -> None:
    sent = accept_request(*items, batch=True, idempotency_key="i", body=b"[]")
    before = dedup() if items[0].dedup_key else stored({"accepted": 1}, sent)
    prepared = Planner(configuration(), NOW, lambda: "id").prepare(sent, AcceptContext({}, before))
    decision = Decision(KnownKeys(), NOTHING_BUSY, NOW, PendingWrites())
    assert code(answer_to(decision, sent, prepared)) is RefusalCode.IN_FLIGHT
    assert not decision.writes


def stored(answer: dict[str, Any], sent: AcceptRequest) -> KnownKeys:
    record = IdempotencyRecord(
        producer="shop",
        idempotency_key="i",
        body_hash=sent.body_hash,
        answer={"status": 202, "body": answer},
        expires_at=NOW,
    )
    return KnownKeys(idempotency={("shop", "i"): record})


def test_a_known_idempotency_key_gives_the_stored_answer() -> None:
    sent = accept_request(idempotency_key="i", body=b"{}")
    [answer], writes = decided(sent, known=stored({"notification_id": "first", "status": "queued"}, sent))
    assert answer == AcceptResult({"notification_id": "first", "status": "queued"}, replayed=True)
    assert not writes


def test_an_idempotency_key_with_another_body_is_refused() -> None:
    sent = accept_request(idempotency_key="i", body=b"{}")
    other = accept_request(idempotency_key="i", body=b"{ }")
    [answer], _ = decided(other, known=stored({}, sent))
    assert code(answer) is RefusalCode.IDEMPOTENCY_KEY_REUSED


def test_one_idempotency_key_twice_in_one_transaction_is_in_flight() -> None:
    same = [accept_request(idempotency_key="i", body=b"{}") for _ in range(2)]
    [first, second], writes = decided(*same)
    assert body(first)
    assert code(second) is RefusalCode.IN_FLIGHT
    assert writes.idempotency["shop", "i"].answer == {"status": 202, "body": body(first)}


@pytest.mark.parametrize(
    "busy",
    [
        Keys(frozenset({("shop", "k")}), frozenset(), frozenset()),
        Keys(frozenset(), frozenset({("shop", "i")}), frozenset()),
        Keys(frozenset(), frozenset(), frozenset({str(UUID(int=7))})),
    ],
    ids=["dedup_key", "Idempotency-Key", "notification_id"],
)
def test_a_batch_under_an_idempotency_key_is_refused_whole_while_any_key_is_busy(busy: Keys) -> None:
    items = [request(), request(dedup_key="k", notification_id=UUID(int=7))]
    [answer], writes = decided(accept_request(*items, batch=True, idempotency_key="i", body=b"[]"), busy=busy)
    assert code(answer) is RefusalCode.IN_FLIGHT
    assert not writes


def test_a_refused_request_leaves_its_idempotency_key_free() -> None:
    [answer], writes = decided(accept_request(request(channels=["fax"]), idempotency_key="i", body=b"{}"))
    assert code(answer) is RefusalCode.UNKNOWN_CHANNEL
    assert not writes


def test_a_batch_has_a_result_for_each_item_in_order() -> None:
    items = [request(), request(channels=["fax"]), Refusal(RefusalCode.TOO_LARGE, "large"), request()]
    [answer], writes = decided(accept_request(*items, batch=True))
    results = body(answer)["results"]
    assert [(each["index"], each["status"]) for each in results] == [
        (0, "queued"), (1, "rejected"), (2, "rejected"), (3, "queued"),
    ]  # fmt: skip
    assert (body(answer)["accepted"], body(answer)["rejected"], len(writes.notifications)) == (2, 2, 2)
    assert results[2]["problem"]["status"] == 413


def test_a_batch_in_which_every_item_is_refused_is_refused_with_the_results() -> None:
    [answer], _ = decided(accept_request(request(channels=["fax"]), batch=True))
    assert isinstance(answer, Refusal)
    assert answer.code is RefusalCode.NOTHING_ACCEPTED
    assert answer.members["results"][0]["problem"]["errors"][0]["field"] == "channels.0"


def test_the_keys_of_a_request_are_those_of_its_header_and_of_its_valid_items() -> None:
    items = [request(dedup_key="a", notification_id=UUID(int=1)), Refusal(RefusalCode.TOO_LARGE, "")]
    keys = keys_of([accept_request(*items, batch=True, idempotency_key="i"), accept_request()])
    assert keys == Keys(
        frozenset({("shop", "a")}), frozenset({("shop", "i")}), frozenset({"00000000-0000-0000-0000-000000000001"})
    )


def test_a_stored_answer_comes_before_a_busy_key_of_an_item() -> None:
    sent = accept_request(request(dedup_key="k"), idempotency_key="i", body=b"{}")
    busy = Keys(frozenset({("shop", "k")}), frozenset(), frozenset())
    [answer], _ = decided(sent, known=stored({"notification_id": "first", "status": "queued"}, sent), busy=busy)
    assert isinstance(answer, AcceptResult)
    assert answer.replayed


def test_a_new_dedup_key_with_a_known_notification_id_leads_to_that_notification_from_then_on() -> None:
    first = UUID(int=7)
    known = KnownKeys(notifications={str(first): KnownNotification(notification_id=str(first), producer="shop")})
    with_both, later = request(notification_id=first, dedup_key="k"), request(dedup_key="k")
    [answer, again], writes = decided(accept_request(with_both), accept_request(later), known=known)
    assert body(answer) == body(again) == {"notification_id": str(first), "status": "queued", "duplicate": True}
    assert writes.dedup["shop", "k"].notification_id == str(first)
    assert not writes.notifications
