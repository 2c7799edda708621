"""What the four providers have in common: treat a request, keep what is taken, hang where that is the treatment."""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from local.sandbox.arrivals import Arrivals
from local.sandbox.test_recipients import Temper, Treatment
from shared.errors import ConfigurationError

_HANG_SECONDS = 180.0
_LOOK_AGAIN_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the providers accept; anything else is answered as the real ones answer a wrong key."""

    sendgrid_api_key: str
    twilio_account_sid: str
    twilio_auth_token: str
    webhook_signing_secret: str
    fcm_access_token: str = field(default_factory=lambda: f"sandbox-{uuid.uuid4().hex}")

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Credentials":
        """The same variables that the functions read. Raises ``ConfigurationError`` naming all that are missing."""
        names = ("SENDGRID_API_KEY", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "WEBHOOK_SIGNING_SECRET")
        if missing := [name for name in names if not environ.get(name)]:
            raise ConfigurationError.missing(missing)
        return cls(*(environ[name] for name in names))


@dataclass(frozen=True, slots=True)
class Taken:
    """A message that was taken, under the provider's own id."""

    provider_message_id: str


@dataclass(frozen=True, slots=True)
class Desk:
    """Where all providers' requests are handled."""

    credentials: Credentials
    arrivals: Arrivals = field(default_factory=Arrivals)
    temper: Temper = field(default_factory=Temper)

    async def handle(
        self,
        request: Request,
        *,
        channel: str,
        provider: str,
        recipient: str,
        message_id: str,
        content: Mapping[str, Any],
    ) -> Taken | Treatment:
        """Take the message, or say which treatment it gets instead. One that hangs is taken and comes back late."""
        fault = self.temper.faults.get(channel)
        if fault is not None and fault.delay_seconds:
            await asyncio.sleep(fault.delay_seconds)
        treatment = self.temper.treatment(channel, recipient, await request.body())
        if treatment not in ("accept", "hang"):
            return treatment
        self.arrivals.add(
            channel=channel,
            provider=provider,
            provider_message_id=message_id,
            recipient=recipient,
            at=datetime.now(UTC),
            answered=treatment == "accept",
            content=dict(content),
        )
        if treatment == "hang":
            await _outlast(request)
        return Taken(message_id)


@dataclass(frozen=True, slots=True)
class Failure:
    """How one provider says no: a status and a JSON body."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        return JSONResponse(dict(self.body), self.status, dict(self.headers))


async def _outlast(request: Request) -> None:
    """Wait until the client has given up, three minutes at most."""
    waited = 0.0
    while waited < _HANG_SECONDS and not await request.is_disconnected():
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        waited += _LOOK_AGAIN_SECONDS
