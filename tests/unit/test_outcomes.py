import itertools

import pytest

from functions.runtime.outcomes import EVENT_OF_RESULT, TopicOutcomeSink, encode
from shared import outcomes
from shared.errors import CredentialsRefused, DeliveryError, Retryable, Undecodable
from shared.outcomes import MOVES, STATUSES, Status, may_move, notification_status
from shared.reasons import Reason
from shared.topology import OUTCOMES_TOPIC
from tests.factories import make_outcome
from tests.memory_transport import MemoryTransport
from transport.port import PublishError, PublishRefused


def test_outcome_decodes_to_what_was_encoded() -> None:
    outcome = make_outcome(possible_duplicate=True, attempt=3, result="failed", reason=Reason.INVALID_NUMBER)
    assert outcomes.decode(outcomes.encode(outcome)) == outcome


def test_unknown_fields_of_an_outcome_are_ignored() -> None:
    outcome = make_outcome()
    assert outcomes.decode(outcomes.encode(outcome)[:-1] + b',"added_later":1}') == outcome


@pytest.mark.parametrize("body", [b"{", b"{}", outcomes.encode(make_outcome(v=2))])
def test_malformed_or_newer_outcome_is_undecodable(body: bytes) -> None:
    with pytest.raises(Undecodable):
        outcomes.decode(body)


FORWARD: dict[Status, int] = {
    "pending": 0, "queued": 1, "sent": 2, "delivered": 3, "bounced": 3,
    "failed": 2, "suppressed": 2, "expired": 2, "canceled": 2, "dead": 2,
}  # fmt: skip
REPLAYS: set[tuple[Status, Status]] = {("failed", "pending"), ("dead", "pending")}
DEFERRALS: set[tuple[Status, Status]] = {("queued", "pending")}
LATE: set[tuple[Status, Status]] = {
    (before, after) for before in ("dead", "expired") for after in ("sent", "delivered", "bounced")
}


def test_status_only_moves_forward_except_for_replays_deferrals_and_late_success() -> None:
    for before, after in MOVES - REPLAYS - DEFERRALS - LATE:
        assert FORWARD[before] < FORWARD[after], (before, after)
    assert REPLAYS | DEFERRALS | LATE <= MOVES


def test_no_outcome_changes_a_final_status() -> None:
    final: list[Status] = ["suppressed", "canceled", "delivered", "bounced"]
    assert not [move for move in itertools.product(final, STATUSES) if may_move(*move)]


@pytest.mark.parametrize(
    ("deliveries", "status"),
    [
        ([], "failed"),
        (["queued", "delivered"], "queued"),
        (["pending"], "queued"),
        (["sent", "failed"], "delivered"),
        (["canceled", "canceled"], "canceled"),
        (["canceled", "dead"], "failed"),
        (["expired", "suppressed"], "failed"),
        (["bounced"], "failed"),
    ],
)
def test_status_of_a_notification_follows_from_its_deliveries(deliveries: list[Status], status: str) -> None:
    assert notification_status(deliveries) == status


@pytest.mark.parametrize(
    ("transport", "error"),
    [
        (MemoryTransport(PublishRefused("PermissionDenied")), CredentialsRefused(Reason.OUTCOMES_REFUSED)),
        (MemoryTransport(PublishError("ServiceUnavailable")), Retryable(Reason.OUTCOMES_UNAVAILABLE)),
        (MemoryTransport(max_bytes=1), Retryable(Reason.OUTCOMES_UNAVAILABLE)),
    ],
    ids=["credentials refused", "transport unavailable", "message refused"],
)
def test_outcome_that_is_not_stored_is_never_lost_silently(transport: MemoryTransport, error: DeliveryError) -> None:
    with pytest.raises(type(error)) as caught:
        TopicOutcomeSink(transport.topic(OUTCOMES_TOPIC, encode)).publish(make_outcome())
    assert caught.value.reason == error.reason


def test_attributes_of_an_outcome_name_its_delivery_and_hold_no_detail() -> None:
    outcome = make_outcome(detail="the provider's text")
    assert encode(outcome).attributes == {
        "result": "sent",
        "notification_id": outcome.notification_id,
        "delivery_id": outcome.delivery_id,
        "v": "1",
    }


def test_every_result_has_its_log_event() -> None:
    reported = {status for status in STATUSES if may_move("queued", status)} - {"pending"}
    assert set(EVENT_OF_RESULT) == reported | {"attempt", "deferred", "erased"}
