"""``python -m deploy.smoke``: send one notification over every channel type to test recipients, and wait for its end.

Reads HELIOGRAPH_URL, HELIOGRAPH_API_KEY and SMOKE_TO: a JSON object of test addresses, by channel
(``{"email": …, "sms": …, "push": …, "webhook": …}``). Prints the timeline. Fails unless every delivery was sent.

Each channel type has a channel with the same name (migrations insert them); these are used.
"""

import json
import os
import sys
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from shared.addresses import AddressKind
from shared.channel_types import REGISTRY
from shared.errors import ConfigurationError
from shared.outcomes import OPEN
from shared.topology import CHANNEL_TYPES

USER = "heliograph-smoke"
WITHOUT_ADDRESS = {name for name, known in REGISTRY.items() if known.address is AddressKind.USER_ID}
_POLL_SECONDS = 2.0
_MAX_WAIT_SECONDS = 180.0
_REQUIRED = ("HELIOGRAPH_API_KEY", "HELIOGRAPH_URL", "SMOKE_TO")


@dataclass(frozen=True, slots=True)
class Target:
    """The publisher, and the test recipients: ``to`` has an address for each channel except the inbox."""

    url: str
    api_key: str
    to: dict[str, str]

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Target":
        """Raises ``ConfigurationError`` with the missing variables, or the channels without an address."""
        missing = [name for name in _REQUIRED if not environ.get(name)]
        if missing:
            raise ConfigurationError.missing(missing)
        to: dict[str, str] = json.loads(environ["SMOKE_TO"])
        unaddressed = sorted(set(CHANNEL_TYPES) - set(to) - WITHOUT_ADDRESS)
        if unaddressed:
            message = f"SMOKE_TO has no address for: {', '.join(unaddressed)}. Add one for each."
            raise ConfigurationError(message)
        return cls(environ["HELIOGRAPH_URL"], environ["HELIOGRAPH_API_KEY"], to)

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.api_key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)


def send(http: httpx.Client, to: Mapping[str, str]) -> str:
    """Send the notification. Returns its id. Raises ``httpx.HTTPStatusError``."""
    response = http.post(
        "/v1/notifications",
        json={
            "user_id": USER,
            "event_type": "smoke_test",
            "channels": list(CHANNEL_TYPES),
            "payload": {"sent_by": "deploy.smoke"},
            "to": dict(to),
        },
        headers={"Idempotency-Key": str(uuid.uuid4())},
    )
    response.raise_for_status()
    notification_id: str = response.json()["notification_id"]
    return notification_id


def follow(http: httpx.Client, notification_id: str, polls: int, pause: Callable[[], None]) -> dict[str, Any]:
    """Poll the notification until no delivery is open, at most ``polls`` times. Returns the last response."""
    for left in reversed(range(polls)):
        response = http.get(f"/v1/notifications/{notification_id}")
        response.raise_for_status()
        notification: dict[str, Any] = response.json()
        if left == 0 or not any(delivery["status"] in OPEN for delivery in notification["deliveries"]):
            return notification
        pause()
    message = "polls must be at least 1"
    raise ValueError(message)


def unsent(notification: Mapping[str, Any]) -> list[str]:
    """One line for each channel whose delivery was not sent, with its status and reason."""
    deliveries = {delivery["channel"]: delivery for delivery in notification["deliveries"]}
    lines = [f"{channel}: no delivery was planned" for channel in CHANNEL_TYPES if channel not in deliveries]
    return lines + [
        f"{channel}: {delivery['status']}" + (f" ({delivery['reason']})" if delivery.get("reason") else "")
        for channel, delivery in deliveries.items()
        if delivery["status"] not in ("sent", "delivered")
    ]


def main() -> None:
    try:
        target = Target.from_env(os.environ)
    except ConfigurationError as error:
        sys.exit(str(error))
    with target.client() as http:
        notification_id = send(http, target.to)
        polls = int(_MAX_WAIT_SECONDS / _POLL_SECONDS)
        notification = follow(http, notification_id, polls, lambda: time.sleep(_POLL_SECONDS))
    print(f"notification {notification_id}")
    for entry in notification["timeline"]:
        print(f"  {entry['at']}  {entry.get('channel') or '':<10} {entry['event']}  {entry.get('detail') or ''}")
    if lines := unsent(notification):
        sys.exit("These channels did not deliver:\n  " + "\n  ".join(lines))
    print("Every channel delivered.")


if __name__ == "__main__":
    main()
