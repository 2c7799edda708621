"""What the provider stubs have in common: choose the treatment of a request, keep what was accepted, or hang."""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from local.sandbox.arrivals import Arrivals
from local.sandbox.fault_injector import FaultInjector
from local.sandbox.test_recipients import Treatment
from shared.errors import ConfigurationError

_HANG_SECONDS = 180.0
_POLL_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Credentials:
    """The credentials that the stubs accept. Others are refused as the real provider refuses a wrong key."""

    sendgrid_api_key: str
    twilio_account_sid: str
    twilio_auth_token: str
    webhook_signing_secret: str
    fcm_access_token: str = field(default_factory=lambda: f"sandbox-{uuid.uuid4().hex}")

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Credentials":
        """Read the variables that the functions read too. Raises ``ConfigurationError`` that names all missing ones."""
        names = ("SENDGRID_API_KEY", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "WEBHOOK_SIGNING_SECRET")
        if missing := [name for name in names if not environ.get(name)]:
            raise ConfigurationError.missing(missing)
        return cls(*(environ[name] for name in names))


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that was accepted, with the id that the provider gave it."""

    provider_message_id: str


@dataclass(frozen=True, slots=True)
class ProviderStub:
    """The state of the sandbox, and the handling of every provider's requests."""

    credentials: Credentials
    arrivals: Arrivals = field(default_factory=Arrivals)
    injector: FaultInjector = field(default_factory=FaultInjector)

    async def handle(
        self,
        request: Request,
        *,
        channel_type: str,
        provider: str,
        recipient: str,
        message_id: str,
        content: Mapping[str, Any],
    ) -> Accepted | Treatment:
        """Accept the message and keep it, or return the treatment with which it fails.

        A message with the treatment ``hang`` is accepted, and this returns when the client has disconnected.
        """
        fault = self.injector.faults.get(channel_type)
        if fault is not None and fault.delay_seconds:
            await asyncio.sleep(fault.delay_seconds)
        treatment = self.injector.treatment(channel_type, recipient, await request.body())
        if treatment not in ("accept", "hang"):
            return treatment
        self.arrivals.add(
            channel_type=channel_type,
            provider=provider,
            provider_message_id=message_id,
            recipient=recipient,
            at=datetime.now(UTC),
            answered=treatment == "accept",
            content=dict(content),
        )
        if treatment == "hang":
            await _wait_for_disconnect(request)
        return Accepted(message_id)


@dataclass(frozen=True, slots=True)
class ErrorResponse:
    """How one provider refuses a request: a status and a JSON body."""

    status: int
    body: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> Response:
        return JSONResponse(dict(self.body), self.status, dict(self.headers))


async def _wait_for_disconnect(request: Request) -> None:
    """Wait until the client has disconnected, for three minutes at most."""
    waited = 0.0
    while waited < _HANG_SECONDS and not await request.is_disconnected():
        await asyncio.sleep(_POLL_SECONDS)
        waited += _POLL_SECONDS
