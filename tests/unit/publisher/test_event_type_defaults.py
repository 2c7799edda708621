"""What an event type says applies where the request says nothing."""

from datetime import timedelta

from publisher_api.event_types.model import EventType
from shared.topology import TOPOLOGY
from tests.unit.publisher.planned import NOW, configuration, planned, refused

HOUR = timedelta(hours=1)
INVOICE = EventType(
    event_type="invoice", version=1, template_name="paid", channels=["email", "inapp"], time_to_live_seconds=3600
)
KNOWN = configuration(
    INVOICE,
    EventType(event_type="bare", version=1),
    paid={"email": {"subject": "Paid", "text": "Paid."}, "inapp": {"title": "Paid"}},
    other={"sms": {"text": "Other."}},
)


def test_a_request_without_channels_uses_those_of_its_event_type() -> None:
    plan = planned(known=KNOWN, event_type="invoice", channels=None)
    assert [delivery.channel for delivery in plan.deliveries] == ["email", "inapp"]
    assert plan.notification.channels == ["email", "inapp"]
    assert plan.notification.template_name == "paid"
    assert [
        delivery.content["title"] for delivery in plan.deliveries if delivery.content and delivery.channel == "inapp"
    ] == ["Paid"]


def test_what_the_request_says_comes_first() -> None:
    expires_at = (NOW + 2 * HOUR).isoformat()
    plan = planned(known=KNOWN, event_type="invoice", channels=["sms"], template_name="other", expires_at=expires_at)
    [delivery] = plan.deliveries
    assert (delivery.channel, delivery.content, delivery.expires_at) == ("sms", {"text": "Other."}, NOW + 2 * HOUR)


def test_the_time_to_live_begins_when_the_notification_is_due() -> None:
    due = NOW + timedelta(days=2)
    plan = planned(known=KNOWN, event_type="invoice", channels=None, deliver_at=due.isoformat())
    assert {delivery.expires_at for delivery in plan.deliveries} == {due + HOUR}


def test_the_time_to_live_of_the_channel_type_still_holds() -> None:
    year = EventType(event_type="invoice", version=1, time_to_live_seconds=366 * 86_400)
    [delivery] = planned(known=configuration(year), event_type="invoice", channels=["sms"]).deliveries
    assert delivery.expires_at == NOW + timedelta(seconds=TOPOLOGY["sms"].time_to_live_seconds)


def test_without_channels_anywhere_the_refusal_says_where_to_name_them() -> None:
    for event_type in ("bare", "undeclared"):
        refusal = refused(KNOWN, event_type=event_type, channels=None)
        [(field, message)] = refusal.fields
        assert field == "channels"
        assert f"PUT /v1/event-types/{event_type}" in message


def test_an_undeclared_event_type_works_as_it_did() -> None:
    [delivery] = planned(known=KNOWN, event_type="undeclared").deliveries
    assert delivery.channel == "inapp"
