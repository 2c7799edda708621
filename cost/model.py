"""The arithmetic from the operations of one delivery to the cost of a month of deliveries. Pure."""

import math
from collections.abc import Mapping
from typing import Literal, get_args

import msgspec

from cost.prices import Assumptions, Price, Provider
from shared.topology import ChannelTopology

Operation = Literal[
    "pubsub_bytes",
    "pubsub_byte_months",
    "function_requests",
    "function_vcpu_seconds",
    "function_gib_seconds",
    "firestore_inbox_reads",
    "firestore_ledger_reads",
    "firestore_inbox_writes",
    "firestore_ledger_writes",
    "firestore_ttl_deletes",
    "firestore_inbox_byte_months",
    "firestore_ledger_byte_months",
    "log_bytes",
    "google_egress_bytes",
    "digitalocean_egress_bytes",
    "postgres_bytes",
]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)

_PUBSUB_MIN_BYTES = 1000
_CLOUD_RUN_STEP_SECONDS = 0.1
_DAYS_PER_MONTH = 30
_SECONDS_PER_MONTH = _DAYS_PER_MONTH * 86_400
# Cloud Run adds instances to keep them at about 60 % of their concurrency.
_AUTOSCALER_TARGET = 0.6
_MEBIBYTES_PER_GIBIBYTE = 1024

Usage = dict[Operation, float]


class DatabaseCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The operations of one delivery in one Firestore database. ``kept_days`` is how long a document is kept."""

    reads: float
    writes: float
    documents: float
    document_bytes: float
    kept_days: float


class DeliveryCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The operations of one delivery over one channel type, on average over a counting run.

    ``message_bytes`` and ``outcome_bytes`` are sizes as Pub/Sub bills them. ``function_seconds`` is the time from a
    push to its response. ``switch_reads`` are the reads of the channel switches, apart because functions make them once
    per 15 s and not once per delivery. ``inbox`` and ``ledger`` are the two Firestore databases. ``…_call_bytes`` are
    the bytes that leave their cloud for the internet.
    """

    pushes: float
    message_bytes: float
    publish_call_bytes: float
    function_seconds: float
    provider_calls: float
    provider_call_bytes: float
    outcomes: float
    outcome_bytes: float
    outcome_call_bytes: float
    firestore_calls: float
    switch_reads: float
    inbox: DatabaseCounts
    ledger: DatabaseCounts
    log_bytes: float
    postgres_bytes: float


def usage(
    counts: DeliveryCounts, topology: ChannelTopology, deliveries: int, subscriptions: int, assumed: Assumptions
) -> Usage:
    """What is billed for a month with ``deliveries`` over one channel type.

    ``subscriptions`` is the number of subscriptions of the topic. Everything grows in proportion to the deliveries,
    except the time of functions, because requests share instances (``instance_seconds``).
    """
    filtered_out = subscriptions - 1
    message, outcome = _billed_bytes(counts.message_bytes), _billed_bytes(counts.outcome_bytes)
    retained = counts.message_bytes + counts.outcomes * counts.outcome_bytes
    pushes = deliveries * counts.pushes
    seconds = instance_seconds(pushes, billed_seconds(counts, assumed), topology.concurrency)
    one: Usage = {
        "pubsub_bytes": message * (1 + counts.pushes + filtered_out) + counts.outcomes * outcome * 2,
        "pubsub_byte_months": retained * assumed.retained_days / _DAYS_PER_MONTH,
        "firestore_inbox_reads": counts.inbox.reads,
        "firestore_ledger_reads": counts.ledger.reads,
        "firestore_inbox_writes": counts.inbox.writes,
        "firestore_ledger_writes": counts.ledger.writes,
        "firestore_ttl_deletes": counts.inbox.documents + counts.ledger.documents,
        "firestore_inbox_byte_months": _byte_months(counts.inbox, assumed),
        "firestore_ledger_byte_months": _byte_months(counts.ledger, assumed),
        "log_bytes": counts.log_bytes + counts.pushes * assumed.log_overhead_bytes,
        "google_egress_bytes": counts.outcome_call_bytes + counts.provider_call_bytes,
        "digitalocean_egress_bytes": counts.publish_call_bytes,
        "postgres_bytes": counts.postgres_bytes * assumed.postgres_overhead_factor,
    }
    return {
        **{operation: amount * deliveries for operation, amount in one.items()},
        "function_requests": pushes,
        "function_vcpu_seconds": seconds * float(topology.cpu),
        "function_gib_seconds": seconds * gibibytes(topology.memory),
    }


def instance_seconds(pushes: float, seconds: float, concurrency: int) -> float:
    """How long instances are billed in a month with ``pushes`` of ``seconds`` each, at random times.

    An instance is billed while it has at least one request. With few requests, that is the time of each request. With
    more, one instance is always busy: with n requests in flight on average, it has none for e^-n of the time. With
    many, the number of instances is what the autoscaler's target asks for.
    """
    in_flight = pushes * seconds / _SECONDS_PER_MONTH
    instances = max(-math.expm1(-in_flight), in_flight / (concurrency * _AUTOSCALER_TARGET))
    return instances * _SECONDS_PER_MONTH


def billed_seconds(counts: DeliveryCounts, assumed: Assumptions) -> float:
    """How long one push is billed, in whole tenths of a second: what was measured, plus the waits in the cloud."""
    waits = (
        counts.firestore_calls * assumed.firestore_seconds
        + counts.outcomes * assumed.pubsub_seconds
        + counts.provider_calls * assumed.provider_seconds
    )
    # Round first: three times 0.1 is a little more than 0.3, and must not be rounded up to 0.4.
    steps = round((counts.function_seconds + waits) / _CLOUD_RUN_STEP_SECONDS, 6)
    return math.ceil(steps) * _CLOUD_RUN_STEP_SECONDS


def gibibytes(memory: str) -> float:
    """A Cloud Run memory quantity (``512Mi``, ``1Gi``) in GiB. Raises ``ValueError`` for any other form."""
    number, unit = memory[:-2], memory[-2:]
    match unit:
        case "Gi":
            return float(number)
        case "Mi":
            return float(number) / _MEBIBYTES_PER_GIBIBYTE
        case _:
            message = f"Memory {memory!r} is malformed. Write it in Mi or Gi, as in 512Mi."
            raise ValueError(message)


def total(parts: list[Usage]) -> Usage:
    """The sum of ``parts``, by operation."""
    return {operation: sum(part[operation] for part in parts) for operation in OPERATIONS}


def bill(amounts: Usage, prices: Mapping[str, Price]) -> dict[Operation, float]:
    """The price of a month's ``amounts`` in USD, by operation. The free share of an operation is subtracted once."""
    return {
        operation: max(0.0, amount - prices[operation].free) / prices[operation].per * prices[operation].usd
        for operation, amount in amounts.items()
    }


def provider_fee(provider: Provider, messages: int) -> float:
    """The price of the smallest plan that covers ``messages``, or of as many of the largest plan as are needed."""
    if messages == 0 or not provider.plans:
        return 0.0
    for plan in provider.plans:
        if messages <= plan.messages:
            return plan.usd
    largest = provider.plans[-1]
    return math.ceil(messages / largest.messages) * largest.usd


def _byte_months(counts: DatabaseCounts, assumed: Assumptions) -> float:
    return counts.document_bytes * assumed.firestore_index_factor * counts.kept_days / _DAYS_PER_MONTH


def _billed_bytes(size: float) -> float:
    return max(_PUBSUB_MIN_BYTES, size)
