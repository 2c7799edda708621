"""``make demo``: starts everything, sends one notification over every channel, shows each hop, and stops everything.

Exits with 0 only if every hop was seen in time.
"""

import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table

from local.inboxes import InboxWatcher, watching
from local.stack import Stack
from local.terminal import stack_at_terminal
from shared.topology import CHANNEL_TYPES, TOPOLOGY

_USER = "ada"
_DEADLINE_SECONDS = 30.0
_POLL_SECONDS = 0.05
_ID_WIDTH = 10  # keeps the table within 80 columns
_HOPS = ("accepted", "published", "received", "sent", "recorded")


@dataclass(frozen=True, slots=True)
class Trace:
    """What was seen of one delivery. ``hops`` has the milliseconds after the request, by hop."""

    hops: dict[str, float]
    provider: str
    provider_message_id: str

    @property
    def missing(self) -> list[str]:
        """The hops, and the provider's id, that were not seen."""
        hops = [hop for hop in _HOPS if hop not in self.hops]
        return hops if self.provider_message_id else [*hops, "the provider's id"]


def main() -> None:
    console = Console()
    with stack_at_terminal(console) as stack:
        authorization = {"Authorization": f"Bearer {stack.api_key}"}
        with (
            httpx.Client(base_url=stack.config.publisher_url, headers=authorization, timeout=10) as api,
            watching(stack.config, _USER) as inbox,
        ):
            create_user(api)
            began = datetime.now(UTC)
            notification_id = send(api, stack)
            console.print(
                f"\nSent one notification over {len(CHANNEL_TYPES)} channels: {notification_id}\n", highlight=False
            )
            traces, listener_ms = follow(api, inbox, notification_id, began)
        console.print(table_of(traces))
        if listener_ms is not None:
            console.print(f"  The new entry was seen in the inbox after {listener_ms:.0f} ms.\n", highlight=False)
    missing = [
        f"{TOPOLOGY[channel_type].title}: {', '.join(trace.missing)}"
        for channel_type, trace in traces.items()
        if trace.missing
    ]
    if listener_ms is None:
        missing.append("Live inbox: the new entry")
    if missing:
        console.print(f"[bold red]Missing after {_DEADLINE_SECONDS:g} s.[/] {'; '.join(missing)}.")
        sys.exit(1)
    console.print("[bold green]Every hop was seen.[/] Everything is stopped. `make up` keeps it running.")


def create_user(api: httpx.Client) -> None:
    """Create the user, with an address for every channel except the webhook."""
    user = {"email": "ada@example.com", "phone": "+447700900123", "locale": "en-GB", "timezone": "Europe/London"}
    api.put(f"/v1/users/{_USER}", json=user).raise_for_status()
    device = {"token": "demo-device-of-ada", "platform": "android"}
    api.post(f"/v1/users/{_USER}/devices", json=device).raise_for_status()


def send(api: httpx.Client, stack: Stack) -> str:
    """Send the notification; returns its id."""
    response = api.post(
        "/v1/notifications",
        json={
            "user_id": _USER,
            "event_type": "payment",
            "channels": list(CHANNEL_TYPES),
            "payload": {"amount": 10, "currency": "EUR"},
            "to": {"webhook": f"{stack.config.sandbox_url}/webhook/demo"},
        },
    )
    notification_id: str = response.raise_for_status().json()["notification_id"]
    return notification_id


def follow(
    api: httpx.Client, inbox: InboxWatcher, notification_id: str, began: datetime
) -> tuple[dict[str, Trace], float | None]:
    """Poll until every hop was seen or the deadline has passed.

    Returns the traces by channel type, and after how many milliseconds the entry was seen in the inbox.
    """
    deadline = time.monotonic() + _DEADLINE_SECONDS
    while True:
        notification = api.get(f"/v1/notifications/{notification_id}").raise_for_status().json()
        traces = {channel_type: trace_of(channel_type, notification, began) for channel_type in CHANNEL_TYPES}
        seen_at = inbox.seen_at(notification_id)
        complete = seen_at is not None and not any(trace.missing for trace in traces.values())
        if complete or time.monotonic() > deadline:
            return traces, None if seen_at is None else _milliseconds(seen_at, began)
        time.sleep(_POLL_SECONDS)


def trace_of(channel_type: str, notification: dict[str, Any], began: datetime) -> Trace:
    """The trace of the delivery over ``channel_type``, from a notification as the API returns it."""
    hops: dict[str, float] = {}
    for entry in notification["timeline"]:
        if entry.get("channel_type") in (None, channel_type):
            hops.setdefault(entry["event"], _milliseconds(datetime.fromisoformat(entry["at"]), began))
    deliveries = (each for each in notification["deliveries"] if each["channel_type"] == channel_type)
    delivery: dict[str, Any] = next(deliveries, {})
    return Trace(hops, delivery.get("provider") or "", delivery.get("provider_message_id") or "")


def table_of(traces: dict[str, Trace]) -> Table:
    """A table with a row for each channel and a column for each hop, in milliseconds after the request."""
    table = Table(
        title="Milliseconds after the request", title_justify="left", box=None, padding=(0, 1, 0, 0), header_style="dim"
    )
    table.add_column("Channel", no_wrap=True)
    for hop in _HOPS:
        table.add_column(hop, justify="right", no_wrap=True)
    table.add_column("provider", no_wrap=True)
    table.add_column("its id", no_wrap=True, overflow="ellipsis", max_width=_ID_WIDTH)
    for channel_type, trace in traces.items():
        times = [_cell(trace.hops.get(hop)) for hop in _HOPS]
        provider_id = trace.provider_message_id.rpartition("/")[2]
        table.add_row(TOPOLOGY[channel_type].title, *times, trace.provider, provider_id)
    return table


def _cell(milliseconds: float | None) -> str:
    return "[red]missing[/]" if milliseconds is None else f"{milliseconds:.0f}"


def _milliseconds(moment: datetime, began: datetime) -> float:
    return (moment - began).total_seconds() * 1000


if __name__ == "__main__":
    main()
