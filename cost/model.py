"""The arithmetic: from what one delivery took to what a month of them costs. Pure."""

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
    "firestore_reads",
    "firestore_writes",
    "firestore_ttl_deletes",
    "firestore_byte_months",
    "log_bytes",
    "google_egress_bytes",
    "digitalocean_egress_bytes",
    "postgres_bytes",
]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)

_PUBSUB_LEAST_BYTES = 1000
_CLOUD_RUN_STEP_SECONDS = 0.1
_DAYS = 30
_SECONDS_A_MONTH = _DAYS * 86_400
# Cloud Run adds instances to keep them at about 60 % of their concurrency.
_AUTOSCALER_TARGET = 0.6
_MEBIBYTES_PER_GIBIBYTE = 1024

Usage = dict[Operation, float]


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """What one delivery over one channel took, on average over a counting run.

    ``message_bytes`` and ``outcome_bytes`` are sizes as Pub/Sub bills them. ``function_seconds`` is how long a push was
    being answered. ``switchboard_reads`` come once in 15 s and not with a delivery, so they are kept apart.
    ``kept_days`` is how long a document lives. The ``…_call_bytes`` left their cloud for the internet.
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
    firestore_reads: float
    switchboard_reads: float
    firestore_writes: float
    firestore_documents: float
    document_bytes: float
    kept_days: float
    log_bytes: float
    postgres_bytes: float


def usage(
    counted: Counted, channel: ChannelTopology, deliveries: int, subscriptions: int, assumed: Assumptions
) -> Usage:
    """What a month with ``deliveries`` over ``channel`` is billed for; ``subscriptions`` are those of the topic.

    Everything grows with the deliveries but the functions' time, which instances share (``instance_seconds``).
    """
    filtered_out = subscriptions - 1
    message, outcome = _billed_bytes(counted.message_bytes), _billed_bytes(counted.outcome_bytes)
    retained = counted.message_bytes + counted.outcomes * counted.outcome_bytes
    pushes = deliveries * counted.pushes
    seconds = instance_seconds(pushes, billed_seconds(counted, assumed), channel.concurrency)
    one: Usage = {
        "pubsub_bytes": message * (1 + counted.pushes + filtered_out) + counted.outcomes * outcome * 2,
        "pubsub_byte_months": retained * assumed.retained_days / _DAYS,
        "firestore_reads": counted.firestore_reads,
        "firestore_writes": counted.firestore_writes,
        "firestore_ttl_deletes": counted.firestore_documents,
        "firestore_byte_months": counted.document_bytes * assumed.firestore_index_factor * counted.kept_days / _DAYS,
        "log_bytes": counted.log_bytes + counted.pushes * assumed.log_overhead_bytes,
        "google_egress_bytes": counted.outcome_call_bytes + counted.provider_call_bytes,
        "digitalocean_egress_bytes": counted.publish_call_bytes,
        "postgres_bytes": counted.postgres_bytes * assumed.postgres_overhead_factor,
    }
    return {
        **{operation: amount * deliveries for operation, amount in one.items()},
        "function_requests": pushes,
        "function_vcpu_seconds": seconds * float(channel.cpu),
        "function_gib_seconds": seconds * gibibytes(channel.memory),
    }


def instance_seconds(pushes: float, seconds: float, concurrency: int) -> float:
    """How long instances are busy in a month in which ``pushes`` of ``seconds`` each come evenly, but by chance.

    An instance is billed while it has any request. With few of them that is each one's own time; with many, one
    instance is always busy (the share of time without a request is e^-n for n in flight on average); with more, there
    are as many instances as the autoscaler's target asks for.
    """
    in_flight = pushes * seconds / _SECONDS_A_MONTH
    instances = max(-math.expm1(-in_flight), in_flight / (concurrency * _AUTOSCALER_TARGET))
    return instances * _SECONDS_A_MONTH


def billed_seconds(counted: Counted, assumed: Assumptions) -> float:
    """How long one push is billed: what it took here, and the waits it would have there, in whole tenths."""
    waits = (
        counted.firestore_calls * assumed.firestore_seconds
        + counted.outcomes * assumed.pubsub_seconds
        + counted.provider_calls * assumed.provider_seconds
    )
    # Rounded before it is rounded up: 0.3 must not become 0.4 because three times 0.1 is a little more.
    steps = round((counted.function_seconds + waits) / _CLOUD_RUN_STEP_SECONDS, 6)
    return math.ceil(steps) * _CLOUD_RUN_STEP_SECONDS


def gibibytes(memory: str) -> float:
    """A Cloud Run quantity (``512Mi``, ``1Gi``) in GiB. Raises ``ValueError`` for any other form."""
    number, unit = memory[:-2], memory[-2:]
    match unit:
        case "Gi":
            return float(number)
        case "Mi":
            return float(number) / _MEBIBYTES_PER_GIBIBYTE
        case _:
            message = f"{memory!r} is no quantity of memory: write it in Mi or Gi."
            raise ValueError(message)


def together(parts: list[Usage]) -> Usage:
    return {operation: sum(part[operation] for part in parts) for operation in OPERATIONS}


def bill(amounts: Usage, prices: Mapping[str, Price]) -> dict[Operation, float]:
    """What ``amounts`` of a month cost, in USD, by operation. What is free is free once, for all of them together."""
    return {
        operation: max(0.0, amount - prices[operation].free) / prices[operation].per * prices[operation].usd
        for operation, amount in amounts.items()
    }


def provider_fee(provider: Provider, messages: int) -> float:
    """The smallest plan that holds ``messages``; beyond the largest, as many of that as it takes."""
    if messages == 0 or not provider.plans:
        return 0.0
    for plan in provider.plans:
        if messages <= plan.messages:
            return plan.usd
    largest = provider.plans[-1]
    return math.ceil(messages / largest.messages) * largest.usd


def _billed_bytes(size: float) -> float:
    return max(_PUBSUB_LEAST_BYTES, size)
