"""``python -m bench.sends COUNT``: the baseline of a drain: what the providers' clients take for the same sends.

Sends ``COUNT`` deliveries of each channel type that has a provider outside, with the adapters and in the threads of a
worker, and with its environment. No message is taken, claimed, recorded or reported. Prints the seconds.
"""

import os
import sys
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from functions.email.sendgrid import SendGrid
from functions.push.fcm import Fcm
from functions.runtime.provider import Provider, Sent
from functions.sms.twilio import Twilio
from functions.webhook.http import Http
from local import fcm
from shared.envelope import VERSION, Delivery
from shared.topology import TOPOLOGY

_CONTENT: Mapping[str, dict[str, Any]] = {
    "email": {"subject": "payment", "text": "payment"},
    "sms": {"text": "payment"},
    "push": {"title": "payment", "body": ""},
    "webhook": {"body": {"event_type": "payment", "payload": {"amount": 10}}},
}


def main() -> None:
    count = int(sys.argv[1])
    fcm.use_sandbox()
    environ = os.environ
    recipients = {
        "email": "ada@example.com",
        "sms": "+447700900123",
        "push": "baseline-device",
        "webhook": f"{environ['TWILIO_URL']}/webhook/baseline",  # one server stands for all providers
    }
    providers: dict[str, Provider] = {
        "email": SendGrid.from_env(environ),
        "sms": Twilio.from_env(environ),
        "push": Fcm.from_env(environ),
        "webhook": Http.from_env(environ),
    }
    _send(providers, recipients, 1)
    began = time.monotonic()
    _send(providers, recipients, count)
    print(time.monotonic() - began)


def _send(providers: Mapping[str, Provider], recipients: Mapping[str, str], count: int) -> None:
    pools = {name: ThreadPoolExecutor(TOPOLOGY[name].concurrency) for name in providers}
    sent = [
        pools[name].submit(provider.send, _delivery(name, recipients[name]))
        for _ in range(count)
        for name, provider in providers.items()
    ]
    for each in sent:
        if not isinstance(each.result(), Sent):
            sys.exit(f"The sandbox refused a delivery: {each.result()}")
    for pool in pools.values():
        pool.shutdown()


def _delivery(channel_type: str, recipient: str) -> Delivery:
    now = datetime.now(UTC)
    return Delivery(
        v=VERSION,
        notification_id=str(uuid.uuid4()),
        event_type="payment",
        user_id="ada",
        channels=[channel_type],
        payload={"amount": 10},
        created_at=now,
        delivery_id=str(uuid.uuid4()),
        channel_type=channel_type,
        channel=channel_type,
        round=1,
        recipient=recipient,
        content=_CONTENT[channel_type],
        config={},
        expires_at=now + timedelta(hours=1),
    )


if __name__ == "__main__":
    main()
