"""``make demo``: starts everything, sends one notification over every channel, shows each hop, ends everything.

Exits with 0 only if every hop was seen in time.
"""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from google.cloud.firestore import Client
from rich.console import Console
from rich.table import Table

from local.stack import Stack
from local.terminal import stack_at_terminal
from shared.topology import CHANNEL_TYPES, TOPOLOGY

_PERSON = "ada"
_DEADLINE_SECONDS = 30.0
_POLL_SECONDS = 0.05
_NEWEST = 20
_ID_WIDTH = 10  # then all fits into 80 columns
_HOPS = ("accepted", "published", "received", "sent", "recorded")
_TITLES = {"received": "delivered", "sent": "answered", "recorded": "stored"}


@dataclass(frozen=True, slots=True)
class Trip:
    """What was seen of one channel's delivery: milliseconds after the request, by hop."""

    hops: dict[str, float]
    provider: str
    provider_message_id: str

    @property
    def missing(self) -> list[str]:
        lacking = [_TITLES.get(hop, hop) for hop in _HOPS if hop not in self.hops]
        return lacking if self.provider_message_id else [*lacking, "provider's id"]


class InboxListener:
    """A client that listens to a person's inbox, as a web page would."""

    def __init__(self, client: Client) -> None:
        self._inbox = client.collection("users").document(_PERSON).collection("inbox")
        self._seen: dict[str, datetime] = {}
        self._listening = threading.Event()

    @contextmanager
    def listening(self) -> Iterator["InboxListener"]:
        """Listen while the block runs, and from before it begins."""
        newest = self._inbox.order_by("created_at", direction="DESCENDING").limit(_NEWEST)
        watch = newest.on_snapshot(self._changed)
        try:
            self._listening.wait(_DEADLINE_SECONDS)
            yield self
        finally:
            watch.unsubscribe()

    def seen_at(self, notification_id: str) -> datetime | None:
        return self._seen.get(notification_id)

    def _changed(self, documents: list[Any], _changes: object, _read_time: object) -> None:
        now = datetime.now(UTC)
        for document in documents:
            self._seen.setdefault(document.id, now)
        self._listening.set()


def main() -> None:
    console = Console()
    with stack_at_terminal(console) as stack:
        os.environ.update(stack.layout.emulators.environment)
        authorization = {"Authorization": f"Bearer {stack.api_key}"}
        with (
            httpx.Client(base_url=stack.layout.publisher_url, headers=authorization, timeout=10) as api,
            InboxListener(Client(project=stack.layout.emulators.project)).listening() as inbox,
        ):
            make_person(api)
            began = datetime.now(UTC)
            notification_id = send(api, stack)
            console.print(
                f"\nSent one notification over {len(CHANNEL_TYPES)} channels: {notification_id}\n", highlight=False
            )
            trips, seen = follow(api, inbox, notification_id, began)
        console.print(table_of(trips))
        if seen is not None:
            console.print(f"  A listener of the inbox saw the new document after {seen:.0f} ms.\n", highlight=False)
        complaints = [
            f"{TOPOLOGY[kind].title}: {', '.join(trip.missing)}" for kind, trip in trips.items() if trip.missing
        ]
        complaints += [] if seen is not None else ["The inbox document was not seen by a listener"]
    if complaints:
        console.print(f"[bold red]Not seen within {_DEADLINE_SECONDS:g} s.[/] {'; '.join(complaints)}.")
        sys.exit(1)
    console.print("[bold green]Every hop was seen.[/] Everything is stopped again; `make up` starts it and stays.")


def make_person(api: httpx.Client) -> None:
    """Make Ada known, with an address for every channel."""
    person = {"email": "ada@example.com", "phone": "+447700900123", "locale": "en-GB", "timezone": "Europe/London"}
    api.put(f"/v1/users/{_PERSON}", json=person).raise_for_status()
    device = {"token": "demo-device-of-ada", "platform": "android"}
    api.post(f"/v1/users/{_PERSON}/devices", json=device).raise_for_status()


def send(api: httpx.Client, stack: Stack) -> str:
    """Send the notification; gives its id."""
    answer = api.post(
        "/v1/notifications",
        json={
            "user_id": _PERSON,
            "event_type": "payment",
            "channels": list(CHANNEL_TYPES),
            "payload": {"amount": 10, "currency": "EUR"},
            "to": {"webhook": f"{stack.layout.sandbox_url}/webhook/demo"},
        },
    )
    notification_id: str = answer.raise_for_status().json()["notification_id"]
    return notification_id


def follow(
    api: httpx.Client, inbox: InboxListener, notification_id: str, began: datetime
) -> tuple[dict[str, Trip], float | None]:
    """Ask until every hop was seen or time is up: the trips by channel, and when a listener saw the inbox document."""
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while True:
        story = api.get(f"/v1/notifications/{notification_id}").raise_for_status().json()
        trips = {kind: trip_of(kind, story, began) for kind in CHANNEL_TYPES}
        seen = inbox.seen_at(notification_id)
        done = seen is not None and not any(trip.missing for trip in trips.values())
        if done or time.monotonic() > deadline:
            return trips, None if seen is None else _milliseconds(seen, began)
        time.sleep(_POLL_SECONDS)


def trip_of(kind: str, story: dict[str, Any], began: datetime) -> Trip:
    """The trip of the delivery over ``kind`` in ``story``, a notification as the API shows it."""
    hops: dict[str, float] = {}
    for entry in story["timeline"]:
        if entry.get("channel") in (None, kind):
            hops.setdefault(entry["event"], _milliseconds(datetime.fromisoformat(entry["at"]), began))
    delivery: dict[str, Any] = next((each for each in story["deliveries"] if each["channel"] == kind), {})
    return Trip(hops, delivery.get("provider") or "", delivery.get("provider_message_id") or "")


def table_of(trips: dict[str, Trip]) -> Table:
    """The trips for people: a row a channel, a column a hop, in milliseconds after the request."""
    table = Table(
        title="Milliseconds after the request", title_justify="left", box=None, padding=(0, 1, 0, 0), header_style="dim"
    )
    table.add_column("Channel", no_wrap=True)
    for hop in _HOPS:
        table.add_column(_TITLES.get(hop, hop), justify="right", no_wrap=True)
    table.add_column("provider", no_wrap=True)
    table.add_column("its id", no_wrap=True, overflow="ellipsis", max_width=_ID_WIDTH)
    for kind, trip in trips.items():
        times = [_cell(trip.hops.get(hop)) for hop in _HOPS]
        table.add_row(TOPOLOGY[kind].title, *times, trip.provider, trip.provider_message_id.rpartition("/")[2])
    return table


def _cell(milliseconds: float | None) -> str:
    return "[red]missing[/]" if milliseconds is None else f"{milliseconds:.0f}"


def _milliseconds(moment: datetime, began: datetime) -> float:
    return (moment - began).total_seconds() * 1000


if __name__ == "__main__":
    main()
