"""``python -m deploy.smoke``: one notification over every channel to a sandbox recipient, followed to its end.

Reads HELIOGRAPH_URL, HELIOGRAPH_API_KEY and SMOKE_TO, a JSON object of addresses by channel that belong to nobody
(``{"email": …, "sms": …, "push": …, "webhook": …}``; the inbox needs none). Prints the timeline, and fails unless every
delivery was sent.
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

from shared.errors import ConfigurationError
from shared.outcomes import OPEN
from shared.topology import CHANNEL_TYPES

USER = "heliograph-smoke"
WITHOUT_ADDRESS = "inapp"  # its address is the user's own id
_POLL_SECONDS = 2.0
_PATIENCE_SECONDS = 180.0
_NEEDED = ("HELIOGRAPH_API_KEY", "HELIOGRAPH_URL", "SMOKE_TO")


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send, and to whom: ``to`` has an address for each channel but the inbox."""

    url: str
    api_key: str
    to: dict[str, str]

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Target":
        """Raises ``ConfigurationError`` that names the missing variables, or the channels without an address."""
        missing = [name for name in _NEEDED if not environ.get(name)]
        if missing:
            raise ConfigurationError.missing(missing)
        to: dict[str, str] = json.loads(environ["SMOKE_TO"])
        unaddressed = sorted(set(CHANNEL_TYPES) - set(to) - {WITHOUT_ADDRESS})
        if unaddressed:
            message = f"SMOKE_TO lacks an address for: {', '.join(unaddressed)}."
            raise ConfigurationError(message)
        return cls(environ["HELIOGRAPH_URL"], environ["HELIOGRAPH_API_KEY"], to)

    def client(self) -> httpx.Client:
        headers = {"Authorization": f"Bearer {self.api_key}"}
        return httpx.Client(base_url=self.url, headers=headers, timeout=30)


def send(http: httpx.Client, to: Mapping[str, str]) -> str:
    """Send the notification; the answer is its id. Raises ``httpx.HTTPStatusError``."""
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
    """The notification's story once no delivery is open any more, or after so many polls."""
    for left in reversed(range(polls)):
        response = http.get(f"/v1/notifications/{notification_id}")
        response.raise_for_status()
        story: dict[str, Any] = response.json()
        if left == 0 or not any(delivery["status"] in OPEN for delivery in story["deliveries"]):
            return story
        pause()
    message = "polls must be at least 1"
    raise ValueError(message)


def unsent(story: Mapping[str, Any]) -> list[str]:
    """What did not arrive, each as a line for people; empty when all is well."""
    states = {delivery["channel"]: delivery for delivery in story["deliveries"]}
    lines = [f"{kind}: no delivery was planned" for kind in CHANNEL_TYPES if kind not in states]
    return lines + [
        f"{kind}: {delivery['status']}" + (f" ({delivery['reason']})" if delivery.get("reason") else "")
        for kind, delivery in states.items()
        if delivery["status"] not in ("sent", "delivered")
    ]


def main() -> None:
    try:
        target = Target.from_env(os.environ)
    except ConfigurationError as error:
        sys.exit(str(error))
    with target.client() as http:
        notification_id = send(http, target.to)
        polls = int(_PATIENCE_SECONDS / _POLL_SECONDS)
        story = follow(http, notification_id, polls, lambda: time.sleep(_POLL_SECONDS))
    print(f"notification {notification_id}")
    for entry in story["timeline"]:
        print(f"  {entry['at']}  {entry.get('channel', ''):<10} {entry['event']}  {entry.get('detail', '')}")
    if lines := unsent(story):
        sys.exit("Not everything arrived:\n  " + "\n  ".join(lines))
    print("Every channel delivered.")


if __name__ == "__main__":
    main()
