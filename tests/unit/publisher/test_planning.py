"""Planning: route → allow → schedule → compose → assemble."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher_api.channels.model import Channel
from publisher_api.configuration import Configuration
from publisher_api.planning.assemble import RELAY_GRACE
from publisher_api.refusal import RefusalCode
from publisher_api.users.model import User
from shared.channel_types import REGISTRY
from shared.content import SMS_CHARACTERS
from shared.sms_text import utf16_length
from shared.topology import CHANNEL_TYPES, TOPOLOGY
from tests.unit.publisher.planned import ADA, NOW, WEBHOOK, configuration, planned, refused


def nested(levels: int) -> dict[str, object]:
    value: dict[str, object] = {}
    for _ in range(levels - 1):
        value = {"in": value}
    return value


PRESETS = {
    "slack": {"preset": "slack", "secret_ref": "WEBHOOK_A"},
    "telegram-ops": {"preset": "telegram", "secret_ref": "WEBHOOK_B", "recipient": "12345"},
    "telegram": {"preset": "telegram", "secret_ref": "WEBHOOK_B"},
}


def with_presets() -> Configuration:
    channels = {slug: Channel(slug=slug, channel_type="webhook", config=config) for slug, config in PRESETS.items()}
    return Configuration(channels, {}, {})


class TestRoute:
    def test_push_makes_a_delivery_for_each_device(self) -> None:
        assert [delivery.recipient for delivery in planned(channels=["push"]).deliveries] == ["phone", "tablet"]

    def test_an_address_in_the_request_replaces_the_users_own(self) -> None:
        [delivery] = planned(channels=["email"], to={"email": "Other@Example.com"}).deliveries
        assert delivery.recipient == "Other@example.com"

    def test_a_configured_url_is_the_address_of_its_channel(self) -> None:
        [delivery] = planned(channels=["webhook-chat"]).deliveries
        assert (delivery.channel_type, delivery.channel) == ("webhook", "webhook-chat")
        assert delivery.recipient == "https://chat.example.com"

    def test_a_preset_is_addressed_by_its_secret_its_config_or_the_request(self) -> None:
        known = with_presets()
        to = {"telegram": "-1001234567890"}
        [to_slack, to_chat, to_given] = planned(known=known, channels=[*PRESETS], to=to).deliveries
        assert [each.recipient for each in (to_slack, to_chat, to_given)] == [
            "https://hooks.slack.com/",
            "12345",
            "-1001234567890",
        ]
        [without] = planned(known=known, channels=["telegram"]).deliveries
        assert (without.status, without.reason) == ("suppressed", "no_address")

    @pytest.mark.parametrize(
        "to", [{"slack": "https://evil.example/"}, {"telegram-ops": "67890"}, {"telegram": "https://evil.example/"}]
    )
    def test_a_request_cannot_send_a_presets_message_elsewhere(self, to: dict[str, str]) -> None:
        assert refused(known=with_presets(), channels=[*to], to=to).fields[0][0] == f"to.{next(iter(to))}"

    @pytest.mark.parametrize(
        ("fields", "code", "field"),
        [
            ({"channels": ["carrier-pigeon"]}, RefusalCode.UNKNOWN_CHANNEL, "channels.0"),
            ({"channels": ["inapp"], "to": {"email": "a@example.com"}}, RefusalCode.INVALID_REQUEST, "to.email"),
            ({"content": {"sms": {"text": "x"}}}, RefusalCode.INVALID_REQUEST, "content.sms"),
            ({"to": {"inapp": "somebody-else"}}, RefusalCode.INVALID_REQUEST, "to.inapp"),
            ({"channels": ["email"], "to": {"email": "nobody"}}, RefusalCode.INVALID_REQUEST, "to.email"),
            ({"channels": ["sms"], "to": {"sms": "0770"}}, RefusalCode.INVALID_REQUEST, "to.sms"),
            ({"channels": ["webhook"], "to": {"webhook": "ftp://x"}}, RefusalCode.INVALID_REQUEST, "to.webhook"),
            (
                {"channels": ["webhook-chat"], "to": {"webhook-chat": WEBHOOK}},
                RefusalCode.INVALID_REQUEST,
                "to.webhook-chat",
            ),
        ],
    )
    def test_a_route_that_does_not_exist_is_refused_by_field(
        self, fields: dict[str, Any], code: RefusalCode, field: str
    ) -> None:
        refusal = refused(**fields)
        assert (refusal.code, [name for name, _ in refusal.fields]) == (code, [field])

    def test_two_inboxes_are_refused(self) -> None:
        known = configuration()
        second = {**known.channels, "inapp-2": known.channels["inapp"].__class__(slug="inapp-2", channel_type="inapp")}
        known = type(known)(second, {}, {})
        assert refused(known=known, channels=["inapp", "inapp-2"]).fields[0][0] == "channels"


class TestAllow:
    def test_a_channel_that_is_off_suppresses_its_delivery(self) -> None:
        [delivery] = planned(known=configuration(off=("email",)), channels=["email"]).deliveries
        assert (delivery.status, delivery.reason, delivery.recipient) == ("suppressed", "channel_off", ADA.email)

    def test_a_push_channel_that_is_off_makes_one_suppressed_delivery(self) -> None:
        assert len(planned(known=configuration(off=("push",)), channels=["push"]).deliveries) == 1

    @pytest.mark.parametrize(
        ("channel_type", "reason"),
        [("email", "no_address"), ("sms", "no_address"), ("webhook", "no_address"), ("push", "no_device")],
    )
    def test_a_missing_address_suppresses_the_delivery_with_a_reason(self, channel_type: str, reason: str) -> None:
        [delivery] = planned(User(user_id="nobody"), channels=[channel_type]).deliveries
        assert (delivery.status, delivery.reason, delivery.recipient) == ("suppressed", reason, None)


class TestSchedule:
    def test_a_delivery_that_is_due_now_is_left_to_the_relay_first(self) -> None:
        [delivery] = planned().deliveries
        assert (delivery.due_at, delivery.sweep_at) == (NOW, NOW + RELAY_GRACE)

    def test_a_scheduled_delivery_gets_its_time_to_live_from_deliver_at(self) -> None:
        later = NOW + timedelta(days=3)
        [delivery] = planned(deliver_at=later).deliveries
        lifetime = timedelta(seconds=TOPOLOGY["inapp"].time_to_live_seconds)
        assert (delivery.due_at, delivery.sweep_at, delivery.expires_at) == (later, later, later + lifetime)

    def test_a_deliver_at_in_the_past_means_now(self) -> None:
        assert planned(deliver_at=NOW - timedelta(days=1)).deliveries[0].due_at == NOW

    def test_expires_at_shortens_a_time_to_live_and_never_lengthens_it(self) -> None:
        soon, far = NOW + timedelta(minutes=5), NOW + timedelta(days=300)
        assert planned(expires_at=soon).deliveries[0].expires_at == soon
        assert planned(expires_at=far).deliveries[0].expires_at < far

    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"deliver_at": NOW + timedelta(hours=2), "expires_at": NOW + timedelta(hours=1)}, "expires_at"),
            ({"expires_at": NOW - timedelta(seconds=1)}, "expires_at"),
            ({"deliver_at": NOW + timedelta(days=367)}, "deliver_at"),
            ({"created_at": NOW + timedelta(minutes=6)}, "created_at"),
            ({"created_at": NOW - timedelta(days=367)}, "created_at"),
        ],
    )
    def test_a_time_that_cannot_be_kept_is_refused_by_field(self, fields: dict[str, Any], field: str) -> None:
        assert refused(**fields).fields[0][0] == field

    def test_created_at_is_the_producers_and_accepted_at_is_ours(self) -> None:
        earlier = NOW - timedelta(hours=3)
        notification = planned(created_at=earlier).notification
        assert (notification.created_at, notification.accepted_at) == (earlier, NOW)

    def test_a_producers_clock_that_is_a_little_ahead_counts_as_now(self) -> None:
        assert planned(created_at=NOW + timedelta(minutes=1)).notification.created_at == NOW


class TestCompose:
    def test_content_of_the_request_replaces_fields_of_the_template(self) -> None:
        known = configuration(invoice={"email": {"subject": "Invoice {{ number }}", "text": "Pay {{ number }}"}})
        fields: dict[str, Any] = {"channels": ["email"], "template_name": "invoice", "payload": {"number": 7}}
        [delivery] = planned(known=known, content={"email": {"subject": "Reminder"}}, **fields).deliveries
        assert delivery.content == {"subject": "Reminder", "text": "Pay 7"}

    def test_content_for_a_channel_comes_before_content_for_its_type(self) -> None:
        known = configuration(alert={"webhook": {"body": {"a": 1}}, "webhook-chat": {"body": {"a": 2}}})
        [delivery] = planned(known=known, channels=["webhook-chat"], template_name="alert").deliveries
        assert delivery.content == {"body": {"a": 2}}

    def test_a_template_without_content_for_a_channel_is_refused(self) -> None:
        known = configuration(invoice={"sms": {"text": "x"}})
        refusal = refused(known=known, channels=["email"], template_name="invoice")
        assert (refusal.code, refusal.fields[0][0]) == (RefusalCode.TEMPLATE_FAILED, "template_name")

    def test_an_unknown_template_is_refused(self) -> None:
        refusal = refused(template_name="no-such")
        assert (refusal.code, refusal.fields[0][0]) == (RefusalCode.UNKNOWN_TEMPLATE, "template_name")

    @pytest.mark.parametrize(
        ("channel_type", "content", "field"),
        [
            ("email", {"subject": "a\nBcc: b@example.com"}, "content.email.subject"),
            ("email", {"subject": "a\n"}, "content.email.subject"),
            ("email", {"subject": "a\u2028b"}, "content.email.subject"),
            ("email", {"subjekt": "x"}, "content.email"),
            ("inapp", {"data": {"n": 2**63}}, "content.inapp"),
            ("inapp", {"data": {"": 1}}, "content.inapp"),
            ("inapp", {"data": {"__x__": 1}}, "content.inapp"),
            ("inapp", {"data": {"a": [[1]]}}, "content.inapp"),
            ("inapp", {"data": nested(20)}, "content.inapp"),
            ("push", {"body": "ä" * 2000}, "content.push"),
            ("push", {"data": {"from": "x"}}, "content.push"),
            ("push", {"image": "http://shop.example/a.png"}, "content.push"),
            ("push", {"image": "https://shop.example/a b.png"}, "content.push"),
            ("push", {"link": "javascript:alert(1)"}, "content.push"),
            ("push", {"link": "/" + "x" * 4000}, "content.push"),
            ("push", {"link": "/orders", "data": {"link": "/other"}}, "content.push"),
            ("sms", {"text": "x" * 1601}, "content.sms"),
            ("sms", {"text": "\U0001f600" * 801}, "content.sms"),
        ],
    )
    def test_content_that_its_channel_type_cannot_carry_is_refused_by_field(
        self, channel_type: str, content: dict[str, Any], field: str
    ) -> None:
        refusal = refused(channels=[channel_type], content={channel_type: content})
        assert (refusal.code, [name for name, _ in refusal.fields]) == (RefusalCode.INVALID_REQUEST, [field])

    def test_a_long_sms_is_refused_with_its_segments(self) -> None:
        refusal = refused(channels=["sms"], content={"sms": {"text": "ç" * 1601}})
        assert "1601 characters (24 segments in UCS-2)" in refusal.detail

    def test_a_long_payload_makes_an_sms_of_the_longest_length(self) -> None:
        [delivery] = planned(channels=["sms"], payload={"text": "\U0001f600" * 2000}).deliveries
        assert delivery.content is not None
        assert utf16_length(delivery.content["text"]) in (SMS_CHARACTERS - 1, SMS_CHARACTERS)

    def test_content_over_512_kb_is_refused(self) -> None:
        refusal = refused(content={"inapp": {"body": "x" * 600_000}})
        assert refusal.code is RefusalCode.TOO_LARGE

    @given(
        payload=st.dictionaries(
            st.text(), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()), max_size=5
        ),
        event_type=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}", fullmatch=True),
    )
    def test_default_content_fits_the_model_of_every_channel_type(
        self, payload: dict[str, Any], event_type: str
    ) -> None:
        plan = planned(channels=[*CHANNEL_TYPES], payload=payload, event_type=event_type, to={"webhook": WEBHOOK})
        assert {delivery.channel_type for delivery in plan.deliveries} == set(REGISTRY)
        for delivery in plan.deliveries:
            msgspec.convert(delivery.content, REGISTRY[delivery.channel_type].content)  # raises if it does not fit


class TestAssemble:
    def test_only_a_delivery_to_the_inbox_makes_a_notification_unread_there(self) -> None:
        assert planned(channels=["email"]).notification.inbox_at is None
        assert planned(channels=["inapp"]).notification.inbox_at == NOW
        assert planned(known=configuration(off=("inapp",))).notification.inbox_at is None

    def test_a_notification_id_of_the_producer_becomes_the_id(self) -> None:
        given_id = uuid4()
        plan = planned(notification_id=given_id)
        assert plan.notification.notification_id == str(given_id)
        assert {delivery.notification_id for delivery in plan.deliveries} == {str(given_id)}
