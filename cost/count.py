"""A counting run: the local stack with taps between its parts, and a known number of notifications over each channel.

One notification at a time, so that nothing waits for anything but its own work, and so that whatever the taps count
while a channel's notifications are under way belongs to that channel.
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
from cost.model import Counted
from cost.taps import Counts, GrpcTap, HttpTap, Inspect, Tally
from local.layout import FUNCTIONS, Layout, Ports
from local.stack import Options, Stack
from shared.topology import OUTCOMES_SUBSCRIPTION, TOPOLOGY

_PERSON = "ada"
_DEADLINE_SECONDS = 30.0
_POLL_SECONDS = 0.02
_SECONDS_PER_DAY = 86_400
_WARM_UP = 2
_ROW_BYTES = """
    select coalesce((select sum(pg_column_size(n)) from notifications n), 0)
         + coalesce((select sum(pg_column_size(d)) from deliveries d), 0)
         + coalesce((select sum(pg_column_size(e)) from delivery_events e), 0)
"""


class CountingFailed(Exception):
    """A notification did not get where it should; the message says which."""


@dataclass(frozen=True, slots=True)
class Tapped:
    """A stack's options with taps in them, where webhooks go, and what the taps count."""

    options: Options
    webhook_url: str
    tally: Tally


@contextmanager
def tapped(state: Path, progress: Callable[[str, float], None]) -> Iterator[Tapped]:
    """Taps for a stack that is about to start, open while the block runs."""
    plain = Layout(state, "", Ports())  # for its addresses only
    tally = Tally()
    with ExitStack() as open_taps:

        def grpc(name: str, upstream: str, inspect: Inspect) -> str:
            return open_taps.enter_context(GrpcTap(upstream, inspect, tally, name)).host

        def http(name: str, upstream: str) -> str:
            return open_taps.enter_context(HttpTap(upstream, tally, name)).url

        provider = http("provider", plain.sandbox_url)
        function = {
            "FIRESTORE_EMULATOR_HOST": grpc("firestore", plain.emulators.firestore_host, billed.firestore),
            "PUBSUB_EMULATOR_HOST": grpc("outcomes", plain.emulators.pubsub_host, billed.publish),
            **dict.fromkeys(("SENDGRID_URL", "TWILIO_URL", "FCM_URL"), provider),
        }
        targets = json.loads(plain.environment("push_bridge")["BRIDGE_TARGETS"])
        for subscription, target in targets.items():
            name = "home" if subscription == OUTCOMES_SUBSCRIPTION else "push"
            parts = urlsplit(target["url"])
            target["url"] = http(name, f"{parts.scheme}://{parts.netloc}") + parts.path
        extra = {
            **dict.fromkeys(FUNCTIONS, function),
            "publisher": {"PUBSUB_EMULATOR_HOST": grpc("relay", plain.emulators.pubsub_host, billed.publish)},
            "push_bridge": {"BRIDGE_TARGETS": json.dumps(targets)},
        }
        options = Options(state, ports=plain.ports, extra_environment=extra, progress=progress)
        yield Tapped(options, f"{provider}/webhook/cost", tally)


def count(tap: Tapped, deliveries: int, told: Callable[[str], None]) -> dict[str, Counted]:
    """Start the stack, send ``deliveries`` notifications over each channel, and end it: what one delivery took.

    ``told`` hears of each channel that begins. Raises ``CountingFailed``, and what ``Stack`` raises.
    """
    with Stack(tap.options) as stack:
        authorization = {"Authorization": f"Bearer {stack.api_key}"}
        with httpx.Client(base_url=stack.layout.publisher_url, headers=authorization, timeout=10) as api:
            _make_person(api)
            counted = {}
            for kind in TOPOLOGY:
                told(kind)
                for _ in range(_WARM_UP):
                    _deliver(api, kind, tap)
                before = _everything(stack, kind, tap)
                for _ in range(deliveries):
                    _deliver(api, kind, tap)
                after = _everything(stack, kind, tap)
                counted[kind] = averaged(_difference(before, after), deliveries, time.time())
            return counted


def averaged(counts: Mapping[str, float], deliveries: int, now: float) -> Counted:
    """What the taps counted of ``deliveries`` (by tap and name, as in ``firestore.writes``), for one of them.

    ``now`` is in Unix seconds.
    """

    def each(name: str) -> float:
        return counts.get(name, 0.0) / deliveries

    def mean(name: str, of: str) -> float:
        return counts.get(name, 0.0) / counts[of] if counts.get(of) else 0.0

    ends = mean("firestore.expires", "firestore.documents")
    return Counted(
        pushes=each("push.calls"),
        message_bytes=mean("relay.message_bytes", "relay.messages"),
        publish_call_bytes=each("relay.call_bytes"),
        function_seconds=mean("push.seconds", "push.calls"),
        provider_calls=each("provider.calls"),
        provider_call_bytes=each("provider.bytes"),
        outcomes=each("outcomes.messages"),
        outcome_bytes=mean("outcomes.message_bytes", "outcomes.messages"),
        outcome_call_bytes=each("home.bytes"),
        firestore_calls=each("firestore.calls"),
        firestore_reads=each("firestore.reads"),
        switchboard_reads=each("firestore.switchboard_reads"),
        firestore_writes=each("firestore.writes"),
        firestore_documents=each("firestore.documents"),
        document_bytes=each("firestore.document_bytes"),
        kept_days=(ends - now) / _SECONDS_PER_DAY if ends else 0.0,
        log_bytes=each("log.bytes"),
        postgres_bytes=each("postgres.bytes"),
    )


def _make_person(api: httpx.Client) -> None:
    person = {"email": "ada@example.com", "phone": "+447700900123", "locale": "en-GB", "timezone": "Europe/London"}
    api.put(f"/v1/users/{_PERSON}", json=person).raise_for_status()
    device = {"token": "device-of-ada", "platform": "android"}
    api.post(f"/v1/users/{_PERSON}/devices", json=device).raise_for_status()


def _deliver(api: httpx.Client, kind: str, tap: Tapped) -> None:
    """Send one notification over ``kind``; returns when its outcome is recorded and both pushes are answered."""
    answered = tap.tally.read().get("home.calls", 0)
    request = {
        "user_id": _PERSON,
        "event_type": "payment",
        "channels": [kind],
        "payload": {"amount": 10, "currency": "EUR"},
        "to": {"webhook": tap.webhook_url} if kind == "webhook" else {},
    }
    notification_id = api.post("/v1/notifications", json=request).raise_for_status().json()["notification_id"]
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while tap.tally.read().get("home.calls", 0) == answered:
        if time.monotonic() > deadline:
            message = f"No outcome of {notification_id} over {kind} came home within {_DEADLINE_SECONDS:g} s."
            raise CountingFailed(message)
        time.sleep(_POLL_SECONDS)
    status = api.get(f"/v1/notifications/{notification_id}").raise_for_status().json()["deliveries"][0]["status"]
    if status != "sent":
        message = f"The delivery of {notification_id} over {kind} is {status} and not sent."
        raise CountingFailed(message)
    time.sleep(_POLL_SECONDS)  # the function's own answer may come a moment after its outcome


def _everything(stack: Stack, kind: str, tap: Tapped) -> Counts:
    with psycopg.connect(stack.layout.database_url) as connection:
        row = connection.execute(_ROW_BYTES).fetchone()
    log = stack.child(kind).log.stat().st_size
    return {**tap.tally.read(), "log.bytes": log, "postgres.bytes": float(row[0]) if row else 0.0}


def _difference(before: Mapping[str, float], after: Mapping[str, float]) -> Counts:
    return {name: value - before.get(name, 0.0) for name, value in after.items()}
