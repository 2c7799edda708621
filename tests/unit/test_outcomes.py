import itertools

import pytest

from shared import outcomes
from shared.errors import Undecodable
from shared.outcomes import MOVES, STATUSES, Status, may_move, notification_status
from tests.factories import make_outcome


def test_an_outcome_survives_the_way() -> None:
    outcome = make_outcome(possible_duplicate=True, attempt=3)
    assert outcomes.decode(outcomes.encode(outcome)) == outcome


@pytest.mark.parametrize("body", [b"{", b"{}", outcomes.encode(make_outcome(v=2))])
def test_an_outcome_that_cannot_be_read_is_undecodable(body: bytes) -> None:
    with pytest.raises(Undecodable):
        outcomes.decode(body)


FORWARD: dict[Status, int] = {
    "pending": 0, "queued": 1, "sent": 2, "delivered": 3,
    "failed": 2, "suppressed": 2, "expired": 2, "canceled": 2, "dead": 2,
}  # fmt: skip
REPLAYS: set[tuple[Status, Status]] = {("failed", "pending"), ("dead", "pending")}
LATE: set[tuple[Status, Status]] = {("dead", "sent"), ("dead", "delivered")}


def test_a_status_only_moves_forward_but_for_replays_and_what_got_through_after_all() -> None:
    for before, after in MOVES - REPLAYS - LATE:
        assert FORWARD[before] < FORWARD[after], (before, after)
    assert REPLAYS | LATE <= MOVES


def test_no_outcome_changes_an_end() -> None:
    ends: list[Status] = ["suppressed", "expired", "canceled", "delivered"]
    assert not [move for move in itertools.product(ends, STATUSES) if may_move(*move)]


@pytest.mark.parametrize(
    ("deliveries", "status"),
    [
        ([], "failed"),
        (["queued", "delivered"], "pending"),
        (["sent", "failed"], "delivered"),
        (["canceled", "canceled"], "canceled"),
        (["canceled", "dead"], "failed"),
        (["expired", "suppressed"], "failed"),
    ],
)
def test_a_notifications_status_follows_from_its_deliveries(deliveries: list[Status], status: str) -> None:
    assert notification_status(deliveries) == status
