"""Deliveries that wait for an hour at which they may be sent."""

import dataclasses
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from publisher_api.channels.model import Channel
from publisher_api.configuration import Configuration
from publisher_api.event_types.model import EventType
from publisher_api.notifications.records import DeliveryRecord
from publisher_api.planning.hold import JITTER
from publisher_api.planning.legal_hours import FORBIDDEN, LegalHours
from publisher_api.planning.quiet_hours import is_quiet
from publisher_api.preferences.model import Preferences
from publisher_api.users.model import User
from shared.lanes import URGENT_PRIORITY
from shared.topology import TOPOLOGY
from tests.unit.publisher.planned import ADA, NOW, configuration, planned

HOUR = timedelta(hours=1)
SALE = EventType(event_type="sale", version=1, commercial=True)
NEWS = EventType(event_type="news", version=1)
KNOWN = configuration(SALE, NEWS)


def quiet(*windows: dict[str, Any], **fields: Any) -> Preferences:
    return msgspec.convert({"quiet_hours": {"windows": list(windows), **fields}}, Preferences)


# It is noon in NOW, in UTC.
NOON = {"start": "11:00", "end": "14:00"}
RESTING = msgspec.structs.replace(ADA, preferences=quiet(NOON))


def by_channel(user: User, known: Configuration | None = None, **fields: Any) -> dict[str, DeliveryRecord]:
    return {each.channel: each for each in planned(user, known, **fields).deliveries}


def test_what_disturbs_waits_for_the_end_of_the_quiet_hours_and_the_inbox_does_not() -> None:
    deliveries = by_channel(RESTING, channels=["email", "sms", "push", "inapp"])
    assert (deliveries.pop("inapp").due_at, len(deliveries)) == (NOW, 3)
    for delivery in deliveries.values():
        assert (delivery.status, delivery.held_by) == ("pending", "quiet_hours")
        assert NOW + 2 * HOUR <= delivery.due_at == delivery.sweep_at < NOW + 2 * HOUR + JITTER
        lifetime = timedelta(seconds=TOPOLOGY[delivery.channel_type].time_to_live_seconds)
        assert delivery.expires_at == delivery.due_at + lifetime


def test_the_channels_of_a_notification_are_released_together_and_notifications_are_not() -> None:
    def released(notification_id: str) -> set[datetime]:
        deliveries = by_channel(RESTING, channels=["email", "sms"], notification_id=notification_id)
        return {each.due_at for each in deliveries.values()}

    times = [released(f"00000000-0000-7000-8000-{number:012}") for number in range(50)]
    assert {len(each) for each in times} == {1}
    assert len(set.union(*times)) > 40


def test_quiet_hours_are_in_the_time_zone_of_the_user_unless_they_name_one() -> None:
    berlin = msgspec.structs.replace(RESTING, timezone="Europe/Berlin")  # 13:00 there
    assert by_channel(berlin, channels=["email"])["email"].due_at < NOW + HOUR + JITTER
    tokyo = msgspec.structs.replace(berlin, preferences=quiet(NOON, timezone="Asia/Tokyo"))  # 21:00 there
    assert by_channel(tokyo, channels=["email"])["email"].held_by is None


def test_what_is_urgent_on_its_channel_does_not_wait() -> None:
    for priority, held_by in ((URGENT_PRIORITY, None), (URGENT_PRIORITY - 1, "quiet_hours")):
        assert by_channel(RESTING, channels=["push"], priority=priority)["push"].held_by == held_by
    calm = Channel(slug="calm", channel_type="email", config={"urgent_priority": 1000})
    eager = Channel(slug="eager", channel_type="email", config={"urgent_priority": 0})
    known = Configuration({"calm": calm, "eager": eager}, {}, {})
    deliveries = by_channel(RESTING, known, channels=["calm", "eager"], priority=URGENT_PRIORITY)
    assert (deliveries["calm"].held_by, deliveries["eager"].held_by) == ("quiet_hours", None)


def test_the_quiet_hours_of_the_first_layer_hold() -> None:
    always = quiet()
    within = msgspec.structs.replace(RESTING, tenants={"acme": always})
    assert by_channel(within, channels=["email"])["email"].held_by == "quiet_hours"
    assert by_channel(within, channels=["email"], tenant="acme")["email"].held_by is None
    defaults = dataclasses.replace(configuration(), preferences=quiet(NOON))
    assert by_channel(ADA, defaults, channels=["email"])["email"].held_by == "quiet_hours"
    awake = msgspec.structs.replace(ADA, preferences=always)
    assert by_channel(awake, defaults, channels=["email"])["email"].held_by is None


def test_a_scheduled_notification_waits_if_it_is_due_in_quiet_hours() -> None:
    for due, held_by in ((NOW + HOUR, "quiet_hours"), (NOW + 3 * HOUR, None)):
        delivery = by_channel(RESTING, channels=["email"], deliver_at=due.isoformat())["email"]
        assert delivery.held_by == held_by
        assert delivery.due_at >= due


def test_the_time_to_live_begins_at_the_end_of_the_quiet_hours_and_the_jitter_does_not_outlive_an_expiry() -> None:
    short = EventType(event_type="short", version=1, time_to_live_seconds=60)
    delivery = by_channel(RESTING, configuration(short), event_type="short", channels=["email"])["email"]
    assert delivery.expires_at == delivery.due_at + timedelta(seconds=60)
    end = NOW + 2 * HOUR
    delivery = by_channel(RESTING, channels=["email"], expires_at=(end + timedelta(microseconds=1)).isoformat())[
        "email"
    ]
    assert delivery.due_at == end


def test_what_is_suppressed_does_not_wait() -> None:
    off = configuration(off=("email",))
    delivery = by_channel(RESTING, off, channels=["email"])["email"]
    assert (delivery.status, delivery.reason, delivery.held_by) == ("suppressed", "channel_off", None)


def texted(phone: str, event_type: str = "sale", priority: int = 1000, **fields: Any) -> DeliveryRecord:
    user = msgspec.structs.replace(ADA, phone=phone, **fields)
    return by_channel(user, KNOWN, event_type=event_type, channels=["sms"], priority=priority)["sms"]


@pytest.mark.parametrize(
    ("phone", "timezone", "hours"),
    [
        # NOW is noon on a Saturday, in UTC.
        ("+12125550123", "America/New_York", 1),  # 07:00 there
        ("+12125550123", "America/Los_Angeles", 4),
        ("+12125550123", None, 6),  # until it is 08:00 in Honolulu, and not yet 21:00 in New York
        ("+919876543210", None, 0),  # 17:30 in India
        ("+33612345678", None, 0),  # 13:00 in Paris
        ("+33612345678", "Asia/Tokyo", 35),  # 21:00 there: until 08:00 on Monday
        ("+447700900123", None, 0),  # the United Kingdom has no such hours
    ],
)
def test_commercial_texts_wait_for_the_hours_of_the_country(phone: str, timezone: str | None, hours: int) -> None:
    delivery = texted(phone, timezone=timezone)
    assert delivery.held_by == ("legal_hours" if hours else None)
    assert NOW + hours * HOUR <= delivery.due_at <= NOW + hours * HOUR + JITTER


@pytest.mark.parametrize("hour", range(24))
def test_the_law_holds_although_the_user_leaves_no_hour_that_it_allows(hour: int) -> None:
    """Quiet from 08:00 to 21:00, and the law allows nothing else: the user's wish gives way, and not the law."""
    zone = ZoneInfo("America/New_York")
    due = datetime(2026, 11, 23, hour, 30, tzinfo=zone)
    user = msgspec.structs.replace(
        ADA, phone="+12125550123", timezone=zone.key, preferences=quiet({"start": "08:00", "end": "21:00"})
    )
    delivery = by_channel(user, KNOWN, event_type="sale", channels=["sms"], deliver_at=due.isoformat())["sms"]
    assert 8 <= delivery.due_at.astimezone(zone).hour < 21
    assert delivery.due_at - due < timedelta(days=1)


def test_what_is_not_commercial_never_waits_for_the_law() -> None:
    assert texted("+12125550123", event_type="news").held_by is None
    assert texted("+12125550123", event_type="undeclared").held_by is None


def test_only_the_channel_types_that_the_law_names_wait() -> None:
    user = msgspec.structs.replace(ADA, phone="+12125550123")
    deliveries = by_channel(user, KNOWN, event_type="sale", channels=["email", "push", "sms"])
    assert [name for name, each in deliveries.items() if each.held_by] == ["sms"]


def test_the_law_and_the_user_are_both_heard() -> None:
    # In New York the law ends at 13:00 UTC, and the user's morning at 15:00.
    preferences = quiet({"start": "05:00", "end": "10:00"})
    delivery = texted("+12125550123", priority=100, timezone="America/New_York", preferences=preferences)
    assert delivery.held_by == "quiet_hours"
    assert NOW + 3 * HOUR <= delivery.due_at <= NOW + 3 * HOUR + JITTER


@pytest.mark.parametrize("law", FORBIDDEN.values(), ids=map(" ".join, FORBIDDEN))
def test_every_law_leaves_a_free_hour_of_the_week_in_all_its_zones_at_once(law: LegalHours) -> None:
    assert law.source
    week = [NOW + number * HOUR for number in range(7 * 24)]
    assert any(not any(is_quiet(each, law.forbidden, ZoneInfo(zone)) for zone in law.zones) for each in week)
