"""The smoke test against a real publisher, with the functions' answers given by hand."""

import pytest

from deploy import smoke
from shared.topology import CHANNEL_TYPES
from tests.publisher.running import Publisher
from tests.publisher.test_outcomes import report

pytestmark = pytest.mark.emulators
TO = {
    "email": "smoke@example.com",
    "push": "a-device-token",
    "sms": "+15005550006",
    "webhook": "https://smoke.example.com/hook",
}


def test_every_channel_is_followed_to_its_end(publisher: Publisher) -> None:
    notification_id = smoke.send(publisher.http, TO)
    waiting = iter(publisher.topic.deliveries(notification_id, len(CHANNEL_TYPES)))

    def answer_one() -> None:
        report(publisher, next(waiting).delivery_id, "sent", provider="sandbox")

    story = smoke.follow(publisher.http, notification_id, len(CHANNEL_TYPES) + 1, answer_one)
    assert smoke.unsent(story) == []
    assert {entry.get("channel") for entry in story["timeline"] if entry["event"] == "sent"} == set(CHANNEL_TYPES)


def test_a_channel_that_stays_silent_is_named(publisher: Publisher) -> None:
    notification_id = smoke.send(publisher.http, TO)
    for message in publisher.topic.deliveries(notification_id, len(CHANNEL_TYPES)):
        if message.channel_type != "push":
            report(publisher, message.delivery_id, "sent", provider="sandbox")
    story = smoke.follow(publisher.http, notification_id, 3, lambda: None)
    assert smoke.unsent(story) in (["push: queued"], ["push: pending"])
