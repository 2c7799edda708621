"""Who gets what, on which channel, when: decided without a database or a clock."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publisher_api.accept.plan import RELAY_GRACE, Plan, plan
from publisher_api.accept.request import NotificationRequest
from publisher_api.errors import Problem
from publisher_api.store.acceptance import PersonRow
from publisher_api.store.catalog import Snapshot
from publisher_api.store.rows import ConfiguredChannel
from shared.channel_types import REGISTRY
from shared.topology import CHANNEL_TYPES, TOPOLOGY

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ADA = PersonRow(user_id="ada", email="ada@example.com", phone="+447700900123", devices=["phone", "tablet"])


def catalog(*, off: tuple[str, ...] = (), **templates: dict[str, Any]) -> Snapshot:
    channels = {kind: ConfiguredChannel(slug=kind, kind=kind, enabled=kind not in off) for kind in CHANNEL_TYPES}
    channels["webhook-chat"] = ConfiguredChannel(
        slug="webhook-chat", kind="webhook", enabled=True, config={"url": "https://chat.example.com"}
    )
    return Snapshot(channels, templates, {})


def planned(person: PersonRow = ADA, known: Snapshot | None = None, **fields: Any) -> Plan:
    request = {"user_id": "ada", "event_type": "payment", "channels": ["inapp"], "payload": {}} | fields
    ids = itertools.count()
    return plan(
        NotificationRequest.model_validate(request),
        "tests",
        person,
        known or catalog(),
        now=NOW,
        new_id=lambda: f"id-{next(ids)}",
    )


def refused(**fields: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        planned(**fields)
    return caught.value


def test_what_is_due_now_is_left_to_the_relay_for_a_moment() -> None:
    [delivery] = planned().deliveries
    assert (delivery.due_at, delivery.sweep_at) == (NOW, NOW + RELAY_GRACE)


def test_what_is_due_later_is_the_sweeps_from_then_on_and_lives_from_then_on() -> None:
    later = NOW + timedelta(days=3)
    [delivery] = planned(deliver_at=later).deliveries
    lifetime = timedelta(seconds=TOPOLOGY["inapp"].time_to_live_seconds)
    assert (delivery.due_at, delivery.sweep_at, delivery.expires_at) == (later, later, later + lifetime)


def test_a_deliver_at_in_the_past_is_now() -> None:
    assert planned(deliver_at=NOW - timedelta(days=1)).deliveries[0].due_at == NOW


def test_an_expiry_shortens_a_channels_time_to_live_and_never_lengthens_it() -> None:
    soon, far = NOW + timedelta(minutes=5), NOW + timedelta(days=300)
    assert planned(expires_at=soon).deliveries[0].expires_at == soon
    assert planned(expires_at=far).deliveries[0].expires_at < far


def test_what_would_expire_before_it_is_due_is_refused() -> None:
    problem = refused(deliver_at=NOW + timedelta(hours=2), expires_at=NOW + timedelta(hours=1))
    assert problem.fields[0][0] == "expires_at"


def test_push_makes_a_delivery_for_each_device() -> None:
    assert [d.recipient for d in planned(channels=["push"]).deliveries] == ["phone", "tablet"]


def test_an_address_in_the_request_comes_before_what_is_known() -> None:
    [delivery] = planned(channels=["email"], to={"email": "Other@Example.com"}).deliveries
    assert delivery.recipient == "Other@example.com"


def test_a_channel_that_is_off_suppresses_even_what_is_addressed() -> None:
    [delivery] = planned(known=catalog(off=("email",)), channels=["email"]).deliveries
    assert (delivery.status, delivery.reason) == ("suppressed", "channel_off")


def test_only_what_goes_to_the_inbox_is_unread_there() -> None:
    assert planned(channels=["email"]).notification.inbox_at is None
    assert planned(channels=["inapp"]).notification.inbox_at == NOW
    assert planned(known=catalog(off=("inapp",))).notification.inbox_at is None


def test_a_configured_channel_brings_its_own_address() -> None:
    [delivery] = planned(channels=["webhook-chat"]).deliveries
    assert (delivery.kind, delivery.slug, delivery.recipient) == ("webhook", "webhook-chat", "https://chat.example.com")


def test_a_configured_address_cannot_be_overridden() -> None:
    problem = refused(channels=["webhook-chat"], to={"webhook-chat": "https://elsewhere.example.com"})
    assert problem.fields[0][0] == "to.webhook-chat"


def test_words_of_the_request_are_laid_over_the_templates() -> None:
    known = catalog(invoice={"email": {"subject": "Invoice {{ number }}", "text": "Pay {{ number }}"}})
    fields: dict[str, Any] = {"channels": ["email"], "template_name": "invoice", "payload": {"number": 7}}
    [delivery] = planned(known=known, content={"email": {"subject": "Reminder"}}, **fields).deliveries
    assert delivery.content == {"subject": "Reminder", "text": "Pay 7"}


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("{% for i in rows if i > 1 %}{{ i }}/{{ loop.length }}{{ '-' if not loop.last }}{% endfor %}", "2/2-3/2"),
        ("{% for i in tree recursive %}{{ i.n }}{{ loop(i.c) if 'c' in i }}{% endfor %}", "abc"),
        ("{% for i in [] %}{{ i }}{% else %}none{% endfor %}", "none"),
    ],
)
def test_loops_that_are_watched_are_loops_as_jinja_has_them(text: str, rendered: str) -> None:
    payload = {"rows": [1, 2, 3], "tree": [{"n": "a", "c": [{"n": "b"}]}, {"n": "c"}]}
    known = catalog(listed={"sms": {"text": text}})
    [delivery] = planned(known=known, channels=["sms"], template_name="listed", payload=payload).deliveries
    assert delivery.content == {"text": rendered}


def test_a_template_without_words_for_a_channel_is_refused() -> None:
    problem = refused(known=catalog(invoice={"sms": {"text": "x"}}), channels=["email"], template_name="invoice")
    assert (problem.kind, problem.fields[0][0]) == ("template_failed", "template_name")


@given(
    payload=st.dictionaries(
        st.text(), st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()), max_size=5
    ),
    event_type=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}", fullmatch=True),
)
def test_without_a_template_every_channel_has_words_in_its_own_shape(payload: dict[str, Any], event_type: str) -> None:
    deliveries = planned(
        channels=[*CHANNEL_TYPES], payload=payload, event_type=event_type, to={"webhook": "https://x.test/"}
    ).deliveries
    assert {delivery.kind for delivery in deliveries} == set(REGISTRY)
    assert all(delivery.content for delivery in deliveries)
