"""The topic of deliveries and commands: a topic for each lane."""

from collections.abc import Iterator, Mapping, Sequence

from shared.envelope import Delivery, Message
from shared.lanes import Lane
from transport.port import Topic


class LanedTopic:
    """Publishes each message to the topic of its lane, the urgent ones first (``transport.port.Topic``)."""

    def __init__(self, topics: Mapping[Lane, Topic[Message]]) -> None:
        self._topics = topics

    def publish(self, messages: Sequence[Message]) -> Iterator[list[Message]]:
        for lane in Lane:
            of_lane = [message for message in messages if lane_of(message) is lane]
            if of_lane:
                yield from self._topics[lane].publish(of_lane)

    def check(self) -> None:
        for topic in self._topics.values():
            topic.check()

    def close(self) -> None:
        for topic in self._topics.values():
            topic.close()


def lane_of(message: Message) -> Lane:
    """The lane of ``message``. A command is one of few, and its user waits for it."""
    return message.lane if isinstance(message, Delivery) else Lane.NORMAL
