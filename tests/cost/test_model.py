"""The arithmetic of a month's bill, as pure functions."""

from itertools import pairwise

import msgspec
import pytest

from cost.model import (
    OPERATIONS,
    Operation,
    bill,
    billed_seconds,
    gibibytes,
    instance_seconds,
    provider_fee,
    total,
    usage,
)
from cost.prices import Assumptions, Plan, Price, Provider, load
from shared.topology import TOPOLOGY
from tests.cost.counted import ONE

FUNCTION_TIME = {"function_vcpu_seconds", "function_gib_seconds"}
NO_ASSUMPTIONS = Assumptions(
    firestore_seconds=0,
    pubsub_seconds=0,
    provider_seconds=0,
    retained_days=7,
    log_overhead_bytes=0,
    firestore_index_factor=1,
    postgres_overhead_factor=1,
)


def price(*, usd: float, per: float, free: float) -> Price:
    facts = {"title": "it", "source": "https://example.com", "read": "2026-11-21", "confirmed": "vendor"}
    return msgspec.convert({**facts, "usd": usd, "per": per, "free": free}, Price)


def provider(*plans: tuple[int, float]) -> Provider:
    listed = [Plan(messages=messages, usd=usd) for messages, usd in plans]
    return Provider(title="it", source="https://example.com", read="2026-11-21", confirmed="vendor", plans=listed)


@pytest.mark.parametrize(
    ("amount", "usd"),
    [
        pytest.param(0, 0, id="nothing"),
        pytest.param(999, 0, id="just under the free share"),
        pytest.param(1000, 0, id="the whole free share"),
        pytest.param(1001, 0.02, id="one unit more"),
        pytest.param(2000, 20, id="twice the free share"),
    ],
)
def test_only_amounts_above_the_free_share_are_billed(amount: float, usd: float) -> None:
    billed = bill({"log_bytes": amount}, {"log_bytes": price(usd=2, per=100, free=1000)})
    assert billed == {"log_bytes": pytest.approx(usd)}


def test_free_share_is_subtracted_once_for_all_channel_types() -> None:
    prices = load().operations
    alone = usage(ONE, TOPOLOGY["inapp"], 1_000_000, 5, NO_ASSUMPTIONS)
    assert bill(alone, prices)["firestore_inbox_writes"] == pytest.approx(400_000 / 100_000 * 0.18)
    assert bill(total([alone, alone]), prices)["firestore_inbox_writes"] == pytest.approx(1_400_000 / 100_000 * 0.18)


def test_free_share_of_firestore_covers_one_of_the_two_databases() -> None:
    billed = bill(usage(ONE, TOPOLOGY["inapp"], 1000, 5, NO_ASSUMPTIONS), load().operations)
    ledger = {name: usd for name, usd in billed.items() if name.startswith("firestore_ledger")}
    assert len(ledger) == 3
    assert min(ledger.values()) > 0
    assert {usd for name, usd in billed.items() if name.startswith("firestore_inbox")} == {0}


@pytest.mark.parametrize(
    ("seconds", "billed"), [(0.0001, 0.1), (0.1, 0.1), (0.1001, 0.2), (0.3, 0.3), (0.7, 0.7), (1.01, 1.1)]
)
def test_push_is_billed_in_whole_tenths_of_a_second(seconds: float, billed: float) -> None:
    counts = msgspec.structs.replace(ONE, function_seconds=seconds)
    assert billed_seconds(counts, NO_ASSUMPTIONS) == pytest.approx(billed)


def test_waits_in_the_cloud_are_added_to_the_measured_time() -> None:
    assumed = msgspec.structs.replace(
        NO_ASSUMPTIONS, firestore_seconds=0.05, pubsub_seconds=0.03, provider_seconds=0.25
    )
    assert billed_seconds(ONE, assumed) == pytest.approx(0.6)  # 0.2, two of 0.05, 0.03 and 0.25, rounded up


def test_small_message_is_billed_as_1000_bytes_for_every_subscription() -> None:
    small = msgspec.structs.replace(ONE, message_bytes=10, outcome_bytes=10)
    published, pushed, filtered_out, outcome_and_push = 1000, 1000, 4 * 1000, 2 * 1000
    billed = usage(small, TOPOLOGY["email"], 1, 5, NO_ASSUMPTIONS)["pubsub_bytes"]
    assert billed == published + pushed + filtered_out + outcome_and_push


def test_large_message_is_billed_by_its_size_and_retained_for_a_week() -> None:
    billed = usage(ONE, TOPOLOGY["email"], 1, 5, NO_ASSUMPTIONS)
    assert billed["pubsub_bytes"] == 1500 * 6 + 1000 * 2
    assert billed["pubsub_byte_months"] == pytest.approx((1500 + 400) * 7 / 30)


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each not in FUNCTION_TIME])
def test_twice_the_deliveries_use_twice_the_operations(operation: Operation) -> None:
    once = usage(ONE, TOPOLOGY["sms"], 1_000_000, 5, NO_ASSUMPTIONS)
    twice = usage(ONE, TOPOLOGY["sms"], 2_000_000, 5, NO_ASSUMPTIONS)
    assert once[operation] > 0
    assert twice[operation] == pytest.approx(2 * once[operation])


def test_function_time_grows_at_most_in_proportion_to_deliveries() -> None:
    billed = [usage(ONE, TOPOLOGY["sms"], n * 1_000_000, 5, NO_ASSUMPTIONS) for n in (1, 10, 100, 1000)]
    seconds = [each["function_vcpu_seconds"] for each in billed]
    assert all(few < many <= 10 * few * 1.001 for few, many in pairwise(seconds))


def test_rare_pushes_are_billed_for_their_own_time() -> None:
    assert instance_seconds(1000, 0.5, concurrency=16) == pytest.approx(1000 * 0.5, rel=0.001)


def test_busy_instance_is_billed_once_for_concurrent_requests() -> None:
    month = 30 * 86_400
    assert instance_seconds(5 * month, 1, concurrency=16) == pytest.approx(month, rel=0.01)


def test_many_pushes_fill_instances_to_the_autoscalers_target() -> None:
    month = 30 * 86_400
    assert instance_seconds(1000 * month, 1, concurrency=16) == pytest.approx(1000 * month / (16 * 0.6))


def test_memory_is_parsed_from_cloud_run_quantities() -> None:
    assert (gibibytes("512Mi"), gibibytes("2Gi")) == (0.5, 2)
    with pytest.raises(ValueError, match="Mi or Gi"):
        gibibytes("512M")


@pytest.mark.parametrize(("messages", "usd"), [(0, 0), (1, 5), (100, 5), (101, 20), (1000, 20), (1001, 40), (3000, 60)])
def test_provider_fee_is_the_smallest_plan_that_covers_the_messages(messages: int, usd: float) -> None:
    assert provider_fee(provider((100, 5), (1000, 20)), messages) == usd


def test_provider_without_plans_is_free() -> None:
    assert provider_fee(provider(), 1_000_000) == 0


def test_prices_cover_exactly_the_operations_and_the_channel_types() -> None:
    prices = load()
    assert set(prices.operations) == set(OPERATIONS)
    assert set(prices.providers) == set(TOPOLOGY)


@pytest.mark.parametrize("channel_type", TOPOLOGY)
def test_plans_are_listed_from_the_smallest(channel_type: str) -> None:
    plans = load().providers[channel_type].plans
    assert plans == sorted(plans, key=lambda plan: plan.messages)
