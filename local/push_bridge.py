"""Does on one machine what Pub/Sub's push service does, where the emulator's own push falls short.

The emulator ignores filters, sends no identity, keeps two pushes in flight and does not count attempts aloud. So this
pulls each subscription, acknowledges what its filter does not match, and pushes the rest as Pub/Sub would: wrapped
JSON, an OIDC token, as many at once as the channel allows. Backoff and dead-lettering remain the emulator's.

Run as ``python -m local.push_bridge`` with the emulator's environment and BRIDGE_PORT, BRIDGE_SERVICE_ACCOUNT and
BRIDGE_TARGETS: a JSON object, subscription → ``{"url": …, "audience": …}``. It signs with the key of the service
account's file BRIDGE_KEY_FILE, so that a restarted bridge is believed at once, or else with one of its own. On its own
port it serves ``/certs`` (its keys), ``/health`` and ``/stats`` (what was pushed, dropped and refused, by
subscription).
"""

import base64
import http.server
import json
import os
import re
import signal
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import urllib3
from google.cloud.pubsub_v1 import SubscriberClient
from google.cloud.pubsub_v1.subscriber.futures import StreamingPullFuture
from google.cloud.pubsub_v1.subscriber.message import Message
from google.cloud.pubsub_v1.subscriber.scheduler import ThreadScheduler
from google.cloud.pubsub_v1.types import FlowControl

from local.pubsub_setup import Subscription, subscriptions
from local.tokens import Signer, TokenFor
from shared.errors import ConfigurationError

_ACKNOWLEDGING = frozenset({102, 200, 201, 202, 204})
_FILTER = re.compile(r'attributes\.(?P<name>\w+) = "(?P<value>[^"]*)"')


class Target(msgspec.Struct, frozen=True):
    """Where a subscription pushes to, and for whom its token is."""

    url: str
    audience: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What the bridge is told by its environment."""

    project: str
    port: int
    signer: Signer
    targets: dict[str, Target]

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Raises ``ConfigurationError`` naming all that is missing."""
        names = ["GOOGLE_CLOUD_PROJECT", "PUBSUB_EMULATOR_HOST", "BRIDGE_PORT", "BRIDGE_SERVICE_ACCOUNT"]
        if missing := [name for name in [*names, "BRIDGE_TARGETS"] if name not in environ]:
            raise ConfigurationError.missing(missing)
        account, key_file = environ["BRIDGE_SERVICE_ACCOUNT"], environ.get("BRIDGE_KEY_FILE")
        return cls(
            project=environ["GOOGLE_CLOUD_PROJECT"],
            port=int(environ["BRIDGE_PORT"]),
            signer=Signer.from_key_file(account, Path(key_file)) if key_file else Signer(account),
            targets=msgspec.json.decode(environ["BRIDGE_TARGETS"], type=dict[str, Target]),
        )


def matches(filter_: str, attributes: Mapping[str, str]) -> bool:
    """Whether a message with ``attributes`` passes ``filter_``: empty, or one attribute compared for equality.

    >>> matches('attributes.channel = "sms"', {"channel": "sms"})
    True
    """
    if not filter_:
        return True
    form = _FILTER.fullmatch(filter_)
    if form is None:
        message = f"The bridge knows only filters of the form that channels derive, not {filter_!r}."
        raise ValueError(message)
    return attributes.get(form["name"]) == form["value"]


def wrap(message: Message, subscription_path: str) -> bytes:
    """``message`` as the body of Pub/Sub's wrapped push request."""
    published = message.publish_time.isoformat().replace("+00:00", "Z")
    body: dict[str, Any] = {
        "message": {
            "attributes": dict(message.attributes),
            "data": base64.b64encode(message.data).decode(),
            "messageId": message.message_id,
            "message_id": message.message_id,
            "publishTime": published,
            "publish_time": published,
        },
        "subscription": subscription_path,
    }
    if message.delivery_attempt is not None:  # counted only where there is a dead-letter policy
        body["deliveryAttempt"] = message.delivery_attempt
    return json.dumps(body).encode()


@dataclass(frozen=True, slots=True)
class Push:
    """Handles the messages of one subscription."""

    path: str
    subscription: Subscription
    url: str
    token: TokenFor
    http: urllib3.PoolManager
    counts: Counter[str] = field(default_factory=Counter)

    def __call__(self, message: Message) -> None:
        if not matches(self.subscription.filter, message.attributes):
            self.counts["dropped"] += 1
            message.ack()
            return
        status = self._post(wrap(message, self.path))
        self.counts[str(status)] += 1
        if status in _ACKNOWLEDGING:
            message.ack()
        else:
            message.nack()

    def _post(self, body: bytes) -> int:
        """The status that answers ``body``; 0 when there was no answer in time."""
        headers = {"Authorization": f"Bearer {self.token.current()}", "Content-Type": "application/json"}
        timeout = float(self.subscription.ack_deadline_seconds)
        try:
            answer = self.http.request("POST", self.url, body=body, headers=headers, timeout=timeout, retries=False)
        except urllib3.exceptions.HTTPError:
            return 0
        return answer.status


@dataclass(frozen=True, slots=True)
class Bridge:
    """All subscriptions that are being pushed."""

    signer: Signer
    pushes: list[Push]
    streams: list[StreamingPullFuture]

    @property
    def stopped(self) -> list[str]:
        """The subscriptions whose stream has ended, which should never be."""
        return [push.path for push, stream in zip(self.pushes, self.streams, strict=True) if stream.done()]

    @property
    def stats(self) -> dict[str, dict[str, int]]:
        return {push.subscription.name: dict(push.counts) for push in self.pushes}

    def close(self) -> None:
        """Stop pulling; messages in flight are given back."""
        for stream in self.streams:
            stream.cancel()


def open_bridge(settings: Settings) -> Bridge:
    """Start pulling every subscription that has a target."""
    client = SubscriberClient()
    declared = {subscription.name: subscription for subscription in subscriptions()}
    pushes, streams = [], []
    for name, target in settings.targets.items():
        subscription = declared[name]
        push = Push(
            path=client.subscription_path(settings.project, name),
            subscription=subscription,
            url=target.url,
            token=TokenFor(settings.signer, target.audience),
            http=urllib3.PoolManager(maxsize=subscription.concurrency),
        )
        limits = FlowControl(
            max_messages=subscription.concurrency, max_lease_duration=subscription.ack_deadline_seconds
        )
        workers = ThreadScheduler(ThreadPoolExecutor(subscription.concurrency, thread_name_prefix=name))
        pushes.append(push)
        streams.append(client.subscribe(push.path, push, flow_control=limits, scheduler=workers))
    return Bridge(settings.signer, pushes, streams)


def serve(bridge: Bridge, port: int) -> http.server.ThreadingHTTPServer:
    """The bridge's own pages on ``127.0.0.1:port``, not yet being served."""

    class Pages(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            match self.path:
                case "/certs":
                    self._answer(200, bridge.signer.certificates)
                case "/health":
                    self._answer(503 if bridge.stopped else 200, {"stopped": bridge.stopped})
                case "/stats":
                    self._answer(200, bridge.stats)
                case _:
                    self._answer(404, {})

        def _answer(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name the base class gave
            pass  # health checks would fill the log

    return http.server.ThreadingHTTPServer(("127.0.0.1", port), Pages)


def main() -> None:
    settings = Settings.from_env(os.environ)
    bridge = open_bridge(settings)
    pages = serve(bridge, settings.port)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=pages.shutdown).start())
    pages.serve_forever()
    bridge.close()
    sys.stdout.flush()
    os._exit(0)  # the pools' threads may be inside a push; their messages are redelivered


if __name__ == "__main__":
    main()
