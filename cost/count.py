"""Counts the operations of a delivery: runs the local stack with counting proxies between its services.

It sends a known number of notifications over each channel type, one at a time. So no notification waits for another,
and everything that the proxies count meanwhile belongs to that channel type.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg

from cost import billed
from cost.counting_proxies import Counters, Counts, GrpcCountingProxy, HttpCountingProxy, Inspect
from cost.model import DatabaseCounts, DeliveryCounts
from local.config import Ports, StackConfig
from local.stack import Options, Stack
from shared.topology import FUNCTIONS, OUTCOMES_SUBSCRIPTION, TOPOLOGY

_USER = "ada"
_TIMEOUT_SECONDS = 30.0
_POLL_SECONDS = 0.02
_SECONDS_PER_DAY = 86_400
_WARM_UP = 2
_ROW_BYTES = """
    select coalesce((select sum(pg_column_size(n)) from notifications n), 0)
         + coalesce((select sum(pg_column_size(d)) from deliveries d), 0)
         + coalesce((select sum(pg_column_size(e)) from delivery_events e), 0)
"""


class CountingFailed(Exception):
    """A notification was not sent in time. The message names it."""


@dataclass(frozen=True, slots=True)
class ProxiedStack:
    """The options of a stack whose calls go through proxies, a URL for webhooks, and what the proxies count."""

    options: Options
    webhook_url: str
    counters: Counters


@contextmanager
def proxied_stack(state: Path, progress: Callable[[str, float], None]) -> Iterator[ProxiedStack]:
    """Run the proxies for a stack, which the caller starts inside the block (``count``)."""
    config = StackConfig(state, "", Ports())  # only for its addresses: the stack makes its own from the same ports
    counters = Counters()
    with ExitStack() as proxies:

        def grpc(name: str, upstream: str, inspect: Inspect) -> str:
            return proxies.enter_context(GrpcCountingProxy(upstream, inspect, counters, name)).host

        def http(name: str, upstream: str) -> str:
            return proxies.enter_context(HttpCountingProxy(upstream, counters, name)).url

        provider = http("provider", config.sandbox_url)
        function = {
            "FIRESTORE_EMULATOR_HOST": grpc("firestore", config.emulators.firestore_host, billed.firestore),
            "PUBSUB_EMULATOR_HOST": grpc("outcomes", config.emulators.pubsub_host, billed.publish),
            **dict.fromkeys(("SENDGRID_URL", "TWILIO_URL", "FCM_URL"), provider),
        }
        targets = json.loads(config.environment("push_bridge")["BRIDGE_TARGETS"])
        for subscription, target in targets.items():
            name = "outcome_push" if subscription == OUTCOMES_SUBSCRIPTION else "push"
            parts = urlsplit(target["url"])
            target["url"] = http(name, f"{parts.scheme}://{parts.netloc}") + parts.path
        extra = {
            **dict.fromkeys(FUNCTIONS, function),
            "publisher": {"PUBSUB_EMULATOR_HOST": grpc("relay", config.emulators.pubsub_host, billed.publish)},
            "push_bridge": {"BRIDGE_TARGETS": json.dumps(targets)},
        }
        options = Options(state, ports=config.ports, extra_environment=extra, progress=progress)
        yield ProxiedStack(options, f"{provider}/webhook/cost", counters)


def count(proxied: ProxiedStack, deliveries: int, progress: Callable[[str], None]) -> dict[str, DeliveryCounts]:
    """Start the stack, send ``deliveries`` notifications over each channel type, stop the stack. Returns the averages.

    ``progress`` is called with each channel type at its start. Raises ``CountingFailed``, and what ``Stack`` raises.
    """
    with Stack(proxied.options) as stack:
        authorization = {"Authorization": f"Bearer {stack.api_key}"}
        with httpx.Client(base_url=stack.config.publisher_url, headers=authorization, timeout=10) as api:
            _create_user(api)
            counts = {}
            for channel_type in TOPOLOGY:
                progress(channel_type)
                for _ in range(_WARM_UP):
                    _deliver(api, channel_type, proxied)
                before = _read_counts(stack, channel_type, proxied.counters)
                for _ in range(deliveries):
                    _deliver(api, channel_type, proxied)
                after = _read_counts(stack, channel_type, proxied.counters)
                counts[channel_type] = average(_difference(before, after), deliveries, time.time())
            return counts


def average(counts: Mapping[str, float], deliveries: int, now: float) -> DeliveryCounts:
    """The counts of ``deliveries`` deliveries, divided by their number. ``now`` is in Unix seconds.

    The keys are a proxy's name and a count's name, as in ``firestore.ledger_writes``.
    """

    def each(name: str) -> float:
        return counts.get(name, 0.0) / deliveries

    def mean(name: str, of: str) -> float:
        return counts.get(name, 0.0) / counts[of] if counts.get(of) else 0.0

    def database(name: str) -> DatabaseCounts:
        prefix = f"firestore.{name}"
        expires = mean(f"{prefix}_expires", f"{prefix}_documents")
        return DatabaseCounts(
            reads=each(f"{prefix}_reads"),
            writes=each(f"{prefix}_writes"),
            documents=each(f"{prefix}_documents"),
            document_bytes=each(f"{prefix}_document_bytes"),
            kept_days=(expires - now) / _SECONDS_PER_DAY if expires else 0.0,
        )

    return DeliveryCounts(
        pushes=each("push.calls"),
        message_bytes=mean("relay.message_bytes", "relay.messages"),
        publish_call_bytes=each("relay.call_bytes"),
        function_seconds=mean("push.seconds", "push.calls"),
        provider_calls=each("provider.calls"),
        provider_call_bytes=each("provider.bytes"),
        outcomes=each("outcomes.messages"),
        outcome_bytes=mean("outcomes.message_bytes", "outcomes.messages"),
        outcome_call_bytes=each("outcome_push.bytes"),
        firestore_calls=each("firestore.calls"),
        switch_reads=each("firestore.switch_reads"),
        inbox=database("inbox"),
        ledger=database("ledger"),
        log_bytes=each("log.bytes"),
        postgres_bytes=each("postgres.bytes"),
    )


def _create_user(api: httpx.Client) -> None:
    user = {"email": "ada@example.com", "phone": "+447700900123", "locale": "en-GB", "timezone": "Europe/London"}
    api.put(f"/v1/users/{_USER}", json=user).raise_for_status()
    device = {"token": "device-of-ada", "platform": "android"}
    api.post(f"/v1/users/{_USER}/devices", json=device).raise_for_status()


def _deliver(api: httpx.Client, channel_type: str, proxied: ProxiedStack) -> None:
    """Send one notification, and return when its outcome is recorded and both pushes have their response."""
    outcomes_before = proxied.counters.read().get("outcome_push.calls", 0)
    request = {
        "user_id": _USER,
        "event_type": "payment",
        "channels": [channel_type],
        "payload": {"amount": 10, "currency": "EUR"},
        "to": {"webhook": proxied.webhook_url} if channel_type == "webhook" else {},
    }
    notification_id = api.post("/v1/notifications", json=request).raise_for_status().json()["notification_id"]
    deadline = time.monotonic() + _TIMEOUT_SECONDS
    while proxied.counters.read().get("outcome_push.calls", 0) == outcomes_before:
        if time.monotonic() > deadline:
            message = f"Notification {notification_id} over {channel_type}: no outcome within {_TIMEOUT_SECONDS:g} s."
            raise CountingFailed(message)
        time.sleep(_POLL_SECONDS)
    status = api.get(f"/v1/notifications/{notification_id}").raise_for_status().json()["deliveries"][0]["status"]
    if status != "sent":
        message = f"Notification {notification_id} over {channel_type}: its delivery is {status}, not sent."
        raise CountingFailed(message)
    time.sleep(_POLL_SECONDS)  # the function's response may come a moment after its outcome


def _read_counts(stack: Stack, channel_type: str, counters: Counters) -> Counts:
    with psycopg.connect(stack.config.database_url) as connection:
        row = connection.execute(_ROW_BYTES).fetchone()
    log = stack.child(channel_type).log.stat().st_size
    return {**counters.read(), "log.bytes": log, "postgres.bytes": float(row[0]) if row else 0.0}


def _difference(before: Mapping[str, float], after: Mapping[str, float]) -> Counts:
    return {name: value - before.get(name, 0.0) for name, value in after.items()}
