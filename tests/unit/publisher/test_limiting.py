"""What a list of requests takes from buckets, and what becomes of each item. The buckets themselves are in Postgres."""

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from publisher_api.accept.limiting import Limiting, limiting
from publisher_api.accept.model import AcceptContext, AcceptRequest, KnownKeys
from publisher_api.accept.submission import Planner, Prepared
from publisher_api.channels.model import Channel
from publisher_api.configuration import Configuration
from publisher_api.event_types.model import EventType
from publisher_api.limits.model import Limit, LimitReached, Limits, limits_of
from publisher_api.limits.tokens import Bucket, Grant, Taken, quota_of, seconds_until
from publisher_api.planning.plan import Plan
from publisher_api.refusal import RefusalCode
from tests.unit.publisher.planned import NOW, WEBHOOK, configuration, request

TWO = Limit(limit=2, window_seconds=10, burst=4)
SHOP = Bucket(key="producer:shop", limit=TWO)
WINDOW_US = 10_000_000
PRODUCER = Limits({"producer": TWO})


def asked(*requests: AcceptRequest, limits: Limits, known: Configuration | None = None) -> Limiting:
    ids = itertools.count()
    limited = replace(known or configuration(), limits=limits)
    planner = Planner(limited, NOW, lambda: f"id-{next(ids)}")
    prepared = [planner.prepare(each, AcceptContext({}, KnownKeys())) for each in requests]
    return limiting(requests, prepared, limited)


def shop(items: int = 1, key: str | None = None) -> AcceptRequest:
    return AcceptRequest("shop", [request()] * items, batch=items > 1, idempotency_key=key)


def mail(**fields: Any) -> AcceptRequest:
    return AcceptRequest("shop", [request(channels=["inapp", "email"], to={"email": "a@example.com"}, **fields)])


def reached(prepared: Prepared) -> LimitReached:
    assert isinstance(prepared, LimitReached)
    return prepared


def planned(prepared: Prepared) -> Plan:
    assert isinstance(prepared, Plan)
    return prepared


def test_each_item_takes_a_token_and_a_request_with_a_key_takes_its_tokens_together() -> None:
    found = asked(shop(), shop(3, "key"), shop(2), limits=PRODUCER)
    assert [(each.producer, each.producer_tokens, each.after) for each in found.claims] == [
        (SHOP, 1, None),
        (SHOP, 3, None),
        (None, 1, 1),
        (None, 1, 1),
        (SHOP, 1, None),
        (SHOP, 1, None),
    ]
    assert found.places == [(0, 0), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1)]


def test_without_a_limit_that_concerns_them_requests_take_nothing() -> None:
    assert asked(shop(2, "key"), limits=Limits()).claims == []
    assert asked(shop(2, "key"), limits=Limits({"producer:other": TWO}, {"sms": TWO})).claims == []


def test_each_refused_request_waits_for_a_token_of_its_own() -> None:
    found = asked(shop(), shop(), shop(2, "key"), limits=PRODUCER)
    grants = [Grant(refused_by_producer=True)] * 4
    prepared, quotas = found.apply(Taken(grants=grants, owed={SHOP.key: 4 * WINDOW_US}))
    assert [reached(plans[0]).retry_after_seconds for plans in prepared] == [5, 10, 20]
    assert prepared[2][0] is prepared[2][1]
    assert {quota.remaining for quota in quotas.values()} == {0}


def test_a_request_that_is_larger_than_the_bucket_is_not_sent_again() -> None:
    prepared, _ = asked(shop(5, "key"), limits=PRODUCER).apply(
        Taken(grants=[Grant(refused_by_producer=True)] * 5, owed={SHOP.key: 0})
    )
    assert {(reached(each).code, reached(each).retry_after_seconds) for each in prepared[0]} == {
        (RefusalCode.TOO_LARGE, None)
    }


def test_what_is_mandatory_or_urgent_takes_no_token_of_its_user() -> None:
    mandatory = configuration(EventType(event_type="payment", version=1, mandatory=True))
    limits = Limits({"user": TWO})
    assert asked(mail(), limits=limits, known=mandatory).claims == []
    assert asked(mail(priority=500), limits=limits).claims == []
    assert asked(shop(), limits=limits).claims == [], "an entry in the inbox disturbs no one"
    assert [each.user for each in asked(mail(), limits=limits).claims] == [Bucket(key="user:ada", limit=TWO)]


def test_what_the_user_has_had_enough_of_is_in_the_inbox_only() -> None:
    found = asked(mail(), limits=Limits({"user": TWO}))
    [[item]], _ = found.apply(Taken(grants=[Grant(refused_by_user=True)], owed={"user:ada": 0}))
    assert [(each.status, each.reason) for each in planned(item).deliveries] == [
        ("pending", None),
        ("suppressed", "user_limit"),
    ]
    assert planned(item).notification.inbox_at == NOW


@pytest.mark.parametrize(
    ("wait", "status", "reason"),
    [
        (timedelta(), "pending", None),
        (timedelta(minutes=1), "pending", "channel_limit"),
        (timedelta(days=30), "suppressed", "channel_limit"),
        (None, "suppressed", "channel_limit"),
    ],
)
def test_a_delivery_waits_for_its_channel_while_it_is_of_use(
    wait: timedelta | None, status: str, reason: str | None
) -> None:
    item = request(channels=["inapp", "webhook"], to={"webhook": WEBHOOK})
    found = asked(AcceptRequest("shop", [item]), limits=Limits({}, {"webhook": TWO}))
    [[prepared]], _ = found.apply(Taken(grants=[Grant(waits=[wait])], owed={"channel:webhook": 0}))
    inapp, webhook = planned(prepared).deliveries
    assert (inapp.status, inapp.reason, inapp.deferred_until) == ("pending", None, None)
    assert (webhook.status, webhook.reason) == (status, reason)
    waits = bool(wait) and status == "pending"
    assert webhook.deferred_until == (NOW + wait if wait and waits else None)
    assert not waits or webhook.sweep_at == webhook.deferred_until


def test_a_scheduled_delivery_takes_no_token_of_its_channel_yet() -> None:
    item = request(channels=["webhook"], to={"webhook": WEBHOOK}, deliver_at=(NOW + timedelta(days=1)).isoformat())
    assert asked(AcceptRequest("shop", [item]), limits=Limits({}, {"webhook": TWO})).claims == []


def test_a_declared_limit_comes_before_the_rate_of_the_channel_and_an_inbox_has_none() -> None:
    rate = {"rate": {"limit": 5, "window_seconds": 60}}
    channels = {
        name: Channel(slug=name, channel_type=kind, config=rate)
        for name, kind in [("sms", "sms"), ("sms-bulk", "sms"), ("inapp", "inapp")]
    }
    limits = limits_of({"channel:sms": TWO, "channel:inapp": TWO}, channels)
    assert limits.by_channel == {"sms": TWO, "sms-bulk": Limit(limit=5, window_seconds=60, burst=5)}


@pytest.mark.parametrize(
    ("owed", "remaining", "reset_seconds"),
    [(0, 4, 0), (1, 3, 1), (WINDOW_US, 3, 5), (WINDOW_US + 1, 2, 1), (4 * WINDOW_US, 0, 5), (9 * WINDOW_US, 0, 30)],
)
def test_a_quota_counts_whole_tokens_and_rounds_waits_up(owed: int, remaining: int, reset_seconds: int) -> None:
    quota = quota_of(TWO, owed)
    assert (quota.remaining, quota.reset_seconds) == (remaining, reset_seconds)


def test_more_tokens_take_longer() -> None:
    assert [seconds_until(TWO, 4 * WINDOW_US, tokens) for tokens in range(5)] == [0, 5, 10, 15, 20]
    assert seconds_until(TWO, WINDOW_US, 3) == 0
