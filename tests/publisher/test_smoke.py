"""The smoke test against a real publisher; the test reports the outcomes."""

from deploy import smoke
from shared.topology import CHANNEL_TYPES
from tests.publisher.running import Publisher

TO = {
    "email": "smoke@example.com",
    "push": "a-device-token",
    "sms": "+15005550006",
    "webhook": "https://smoke.example.com/hook",
}


def test_every_channel_is_followed_until_it_is_sent(publisher: Publisher) -> None:
    notification_id = smoke.send(publisher.http, TO)
    waiting = iter(publisher.topic.deliveries(notification_id, len(CHANNEL_TYPES)))

    def report_one() -> None:
        publisher.report(next(waiting).delivery_id, "sent", provider="sandbox")

    notification = smoke.follow(publisher.http, notification_id, len(CHANNEL_TYPES) + 1, report_one)
    assert smoke.unsent(notification) == []
    assert {entry.get("channel") for entry in notification["timeline"] if entry["event"] == "sent"} == set(
        CHANNEL_TYPES
    )


def test_a_channel_without_an_outcome_is_named(publisher: Publisher) -> None:
    notification_id = smoke.send(publisher.http, TO)
    for message in publisher.topic.deliveries(notification_id, len(CHANNEL_TYPES)):
        if message.channel_type != "push":
            publisher.report(message.delivery_id, "sent", provider="sandbox")
    notification = smoke.follow(publisher.http, notification_id, 3, lambda: None)
    [status] = [each["status"] for each in notification["deliveries"] if each["channel"] == "push"]
    assert smoke.unsent(notification) == [f"push: {status}"]
