"""Which lane a delivery travels in: by its priority, and by what its producer published lately."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import timedelta

from publisher_api.outbox.laned_topic import LanedTopic
from publisher_api.outbox.message import Outgoing
from publisher_api.outbox.shares import NORMAL_SHARE, URGENT_SHARE, Shares
from shared.envelope import VERSION, Command, Message
from shared.lanes import URGENT_PRIORITY, Lane
from tests.factories import NOON, make_delivery


def lanes_of(shares: Shares, producer: str, count: int, *, priority: int = 100, seconds: float = 0) -> Counter[Lane]:
    """The lanes of ``count`` deliveries that ``producer`` publishes ``seconds`` after noon."""
    now = NOON + timedelta(seconds=seconds)
    return Counter(shares.laned(Outgoing(producer, make_delivery(priority=priority)), now).lane for _ in range(count))


def test_what_a_producer_publishes_beyond_its_share_is_bulk() -> None:
    burst = int(NORMAL_SHARE.burst)
    assert lanes_of(Shares(), "flood", 3 * burst) == {Lane.NORMAL: burst, Lane.BULK: 2 * burst}


def test_a_flood_by_one_producer_leaves_the_share_of_another() -> None:
    shares = Shares()
    lanes_of(shares, "flood", 1000)
    assert lanes_of(shares, "shop", 10) == {Lane.NORMAL: 10}


def test_a_producer_whose_bulk_waits_still_publishes_urgent_deliveries_in_their_lane() -> None:
    shares = Shares()
    lanes_of(shares, "flood", 1000)
    assert lanes_of(shares, "flood", 10, priority=URGENT_PRIORITY) == {Lane.URGENT: 10}


def test_a_producer_that_calls_everything_urgent_has_a_share_of_that_too() -> None:
    burst = int(URGENT_SHARE.burst)
    assert lanes_of(Shares(), "flood", burst + 7, priority=1000) == {Lane.URGENT: burst, Lane.BULK: 7}


def test_a_share_returns_with_time_and_never_grows_beyond_the_burst() -> None:
    shares = Shares()
    lanes_of(shares, "flood", 1000)
    assert lanes_of(shares, "flood", 1000, seconds=0.1)[Lane.NORMAL] == NORMAL_SHARE.per_second // 10
    assert lanes_of(shares, "flood", 1000, seconds=3600)[Lane.NORMAL] == NORMAL_SHARE.burst


def test_a_clock_that_goes_back_takes_nothing_away() -> None:
    shares = Shares()
    lanes_of(shares, "shop", 1)
    assert lanes_of(shares, "shop", 10, seconds=-60) == {Lane.NORMAL: 10}


class Kept:
    """A topic that adds what is published to ``kept``, with its own name."""

    def __init__(self, name: str, kept: list[tuple[str, Message]]) -> None:
        self._name = name
        self._kept = kept

    def publish(self, messages: Sequence[Message]) -> Iterator[list[Message]]:
        self._kept += [(self._name, message) for message in messages]
        yield list(messages)

    def check(self) -> None:
        pass

    def close(self) -> None:
        pass


def test_each_message_is_published_to_the_topic_of_its_lane_the_urgent_ones_first() -> None:
    kept: list[tuple[str, Message]] = []
    topic = LanedTopic({lane: Kept(lane, kept) for lane in Lane})
    bulk, normal, urgent = (make_delivery(lane=lane) for lane in (Lane.BULK, Lane.NORMAL, Lane.URGENT))
    command = Command(v=VERSION, command="read_all", at=NOON)
    stored = [message for call in topic.publish([bulk, command, normal, urgent]) for message in call]
    assert kept == [("urgent", urgent), ("normal", command), ("normal", normal), ("bulk", bulk)]
    assert stored == [urgent, command, normal, bulk]
