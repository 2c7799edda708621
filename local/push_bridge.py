"""Pushes messages on one machine as Google's push service does, because the Pub/Sub emulator's push does not.

The emulator ignores filters, sends no OIDC token, has at most two pushes in flight, does not send the attempt, and
pushes no slower when pushes are refused. This bridge pulls each subscription, acknowledges the messages that the filter
does not match, and pushes the others as Pub/Sub would: as wrapped JSON, with an OIDC token, as many at once as the
channel type allows, and with Google's push back-off. The emulator still does the backoff of each message and the
dead-lettering.

Run as ``python -m local.push_bridge`` with the emulator's environment and BRIDGE_PORT, BRIDGE_SERVICE_ACCOUNT and
BRIDGE_TARGETS: a JSON object, subscription → ``{"url": …, "audience": …}``. With BRIDGE_KEY_FILE, it signs with the
key in that service account key file, so that its tokens stay valid when it restarts; without, it signs with a new key.
RETRY_PROFILE shortens the pauses as it shortens the backoffs. It serves ``/certs`` (its public key), ``/health`` and
``/stats`` (for each subscription: pushes by status, ``dropped`` messages, and pushes that the back-off ``delayed``).
"""

import http.server
import json
import os
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

from local.push_backoff import PushBackoff
from local.tokens import Signer, TokenSource
from shared import pubsub_push
from shared.errors import ConfigurationError
from shared.pubsub_push import Push, PushedMessage
from shared.topology import RetryProfile, Subscription, subscriptions

_ACKNOWLEDGING = frozenset({102, 200, 201, 202, 204})
_NO_RESPONSE = 0


class Target(msgspec.Struct, frozen=True):
    """The URL that a subscription pushes to, and the audience of its token."""

    url: str
    audience: str


@dataclass(frozen=True, slots=True)
class Settings:
    """The bridge's settings. ``targets`` is by the short name of the subscription."""

    project: str
    port: int
    signer: Signer
    targets: dict[str, Target]
    retry_profile: RetryProfile

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Raises ``ConfigurationError`` that names every missing variable."""
        names = ["GOOGLE_CLOUD_PROJECT", "PUBSUB_EMULATOR_HOST", "BRIDGE_PORT", "BRIDGE_SERVICE_ACCOUNT"]
        if missing := [name for name in [*names, "BRIDGE_TARGETS"] if name not in environ]:
            raise ConfigurationError.missing(missing)
        account, key_file = environ["BRIDGE_SERVICE_ACCOUNT"], environ.get("BRIDGE_KEY_FILE")
        return cls(
            project=environ["GOOGLE_CLOUD_PROJECT"],
            port=int(environ["BRIDGE_PORT"]),
            signer=Signer.from_key_file(account, Path(key_file)) if key_file else Signer(account),
            targets=msgspec.json.decode(environ["BRIDGE_TARGETS"], type=dict[str, Target]),
            retry_profile=RetryProfile.from_env(environ),
        )


def push_body(message: Message, subscription_path: str) -> bytes:
    """``message`` as the body of Pub/Sub's wrapped push request."""
    pushed = PushedMessage(data=message.data, attributes=dict(message.attributes), message_id=message.message_id)
    return pubsub_push.encode(Push(pushed, message.delivery_attempt, subscription_path), message.publish_time)


@dataclass(frozen=True, slots=True)
class PushSubscription:
    """Pushes the messages of one subscription to ``url``. ``counts`` is by status; 0 means no response."""

    path: str
    subscription: Subscription
    url: str
    token: TokenSource
    http: urllib3.PoolManager
    backoff: PushBackoff
    counts: Counter[str] = field(default_factory=Counter)

    def __call__(self, message: Message) -> None:
        if not self.subscription.gets(message.attributes):
            self.counts["dropped"] += 1
            message.ack()
            return
        self.counts["delayed"] += self.backoff.wait()
        status = self._post(push_body(message, self.path))
        self.counts[str(status)] += 1
        acknowledged = status in _ACKNOWLEDGING
        self.backoff.pushed(acknowledged=acknowledged)
        if acknowledged:
            message.ack()
        else:
            message.nack()

    def _post(self, body: bytes) -> int:
        headers = {"Authorization": f"Bearer {self.token.current()}", "Content-Type": "application/json"}
        timeout = float(self.subscription.ack_deadline_seconds)
        try:
            response = self.http.request("POST", self.url, body=body, headers=headers, timeout=timeout, retries=False)
        except urllib3.exceptions.HTTPError:
            return _NO_RESPONSE
        return response.status

    def start(self, client: SubscriberClient) -> StreamingPullFuture:
        """Start pulling. Messages are handled on threads of this subscription's own."""
        concurrency = self.subscription.concurrency
        limits = FlowControl(max_messages=concurrency, max_lease_duration=self.subscription.ack_deadline_seconds)
        workers = ThreadScheduler(ThreadPoolExecutor(concurrency, thread_name_prefix=self.subscription.name))
        return client.subscribe(self.path, self, flow_control=limits, scheduler=workers)


@dataclass(frozen=True, slots=True)
class Bridge:
    """All subscriptions that are pushed, and the stream that pulls each."""

    signer: Signer
    pushing: list[tuple[PushSubscription, StreamingPullFuture]]

    @property
    def stopped(self) -> list[str]:
        """The paths of the subscriptions whose stream has ended, which is always an error."""
        return [push.path for push, stream in self.pushing if stream.done()]

    @property
    def stats(self) -> dict[str, dict[str, int]]:
        return {push.subscription.name: dict(push.counts) for push, _ in self.pushing}

    def close(self) -> None:
        """Stop pulling. Pub/Sub redelivers the messages in flight."""
        for _, stream in self.pushing:
            stream.cancel()


def open_bridge(settings: Settings) -> Bridge:
    """Start pulling every subscription that has a target. Raises ``KeyError`` for one that is not declared."""
    client = SubscriberClient()
    declared = {subscription.name: subscription for subscription in subscriptions()}
    pushing = []
    for name, target in settings.targets.items():
        subscription = declared[name]
        push = PushSubscription(
            path=client.subscription_path(settings.project, name),
            subscription=subscription,
            url=target.url,
            token=TokenSource(settings.signer, target.audience),
            http=urllib3.PoolManager(maxsize=subscription.concurrency),
            backoff=PushBackoff(settings.retry_profile.factor),
        )
        pushing.append((push, push.start(client)))
    return Bridge(settings.signer, pushing)


def server_of(bridge: Bridge, port: int) -> http.server.ThreadingHTTPServer:
    """A server for ``/certs``, ``/health`` and ``/stats`` on ``127.0.0.1:port``, not started yet."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            match self.path:
                case "/certs":
                    self._respond(200, bridge.signer.certificates)
                case "/health":
                    self._respond(503 if bridge.stopped else 200, {"stopped": bridge.stopped})
                case "/stats":
                    self._respond(200, bridge.stats)
                case _:
                    self._respond(404, {})

        def _respond(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class has this name
            pass  # health checks would fill the log

    return http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)


def main() -> None:
    settings = Settings.from_env(os.environ)
    bridge = open_bridge(settings)
    server = server_of(bridge, settings.port)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()
    bridge.close()
    sys.stdout.flush()
    os._exit(0)  # the workers may be inside a push; Pub/Sub redelivers their messages


if __name__ == "__main__":
    main()
