"""The demo page: a user's inbox beside a form that sends. Calls the publisher with the stack's API key.

The key stays in this process. Only pages of this server may call these routes, by a name of this machine: another site
that is open in the browser must neither send notifications nor read the inbox.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, Self
from uuid import UUID

import httpx
from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import FileResponse, Response
from pydantic import BaseModel, Field

from shared.profile import VARIABLE, Profile

USER_ID = "ada"
EMAIL = "ada@example.com"
PHONE = "+447700900123"
DEVICE = "ada-phone"
TEMPLATE = "demo-receipt"
_TEMPLATE_CONTENT = {
    "inapp": {"title": "Receipt: {{ title }}", "body": "{{ text }} Thank you, {{ name }}."},
    "email": {
        "subject": "Receipt: {{ title }}",
        "text": "Hello {{ name }},\n\n{{ text }}\n\nThank you.",
        "html": "<h2>{{ title }}</h2><p>Hello {{ name }},</p><p>{{ text }}</p><p>Thank you.</p>",
    },
    "sms": {"text": "{{ title }}: {{ text }}"},
    "push": {"title": "Receipt: {{ title }}", "body": "{{ text }}"},
}
_PAGE = Path(__file__).with_name("page")
_OWN_NAMES = ("127.0.0.1", "localhost")
_TIMEOUT_SECONDS = 10.0


class Firestore(NamedTuple):
    """The emulator that has the inboxes in the profile google."""

    project: str
    host: str
    port: int

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        host, _, port = environ["FIRESTORE_EMULATOR_HOST"].rpartition(":")
        return cls(environ["GOOGLE_CLOUD_PROJECT"], host, int(port))

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Publisher:
    """The publisher of the stack. ``key_file`` is written after the sandbox has started.

    Web pages listen to ``firestore``; outside of the profile google to the publisher.
    """

    url: str
    key_file: Path
    firestore: Firestore | None

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self | None:
        """None where the sandbox runs alone, as in its own tests."""
        if not environ.get("PUBLISHER_URL"):
            return None
        firestore = Firestore.from_env(environ) if environ[VARIABLE] == Profile.GOOGLE else None
        return cls(environ["PUBLISHER_URL"], Path(environ["API_KEY_FILE"]), firestore)

    async def call(self, method: str, path: str, body: object = None) -> Response:
        """The publisher's response to a call with the API key."""
        headers = {"Authorization": f"Bearer {self.key_file.read_text().strip()}"}
        async with httpx.AsyncClient(base_url=self.url, timeout=_TIMEOUT_SECONDS) as client:
            answer = await client.request(method, path, json=body, headers=headers)
        return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))


class Sending(BaseModel):
    """What the form sends: a title and a text for each channel, or as the payload of the template."""

    channels: Annotated[list[Literal["inapp", "email", "sms", "push", "webhook"]], Field(min_length=1)]
    title: Annotated[str, Field(min_length=1, max_length=200)]
    text: Annotated[str, Field(min_length=1, max_length=2000)]
    use_template: bool = False

    def notification(self, own_url: str) -> dict[str, Any]:
        """The body of ``POST /v1/notifications``."""
        addresses = {"email": EMAIL, "sms": PHONE, "push": DEVICE, "webhook": f"{own_url}webhook/demo"}
        contents = {
            "inapp": {"title": self.title, "body": self.text},
            "email": {"subject": self.title, "text": self.text},
            "sms": {"text": f"{self.title}: {self.text}"},
            "push": {"title": self.title, "body": self.text},
        }
        worded: dict[str, Any] = (
            {"template_name": TEMPLATE}
            if self.use_template
            else {"content": {name: content for name, content in contents.items() if name in self.channels}}
        )
        return {
            "user_id": USER_ID,
            "event_type": "demo",
            "channels": self.channels,
            "payload": {"title": self.title, "text": self.text, "name": "Ada"},
            "to": {name: address for name, address in addresses.items() if name in self.channels},
            **worded,
        }


def own_pages_only(request: Request) -> None:
    """Refuse the pages of other sites, and names of other hosts that lead here."""
    if request.url.hostname not in _OWN_NAMES:
        raise HTTPException(403, "Open this page at 127.0.0.1.")
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise HTTPException(403, "Only the demo page may call this.")


def router(publisher: Publisher) -> APIRouter:
    routes = APIRouter(prefix="/demo", dependencies=[Depends(own_pages_only)])
    firestore = publisher.firestore
    listened_to = f"{publisher.url} {firestore.url}" if firestore else publisher.url
    policy = (
        f"default-src 'self'; connect-src 'self' {listened_to}; style-src 'self' 'unsafe-inline';"
        " script-src 'self'; object-src 'none'; frame-ancestors 'none'"
    )

    @routes.get("", include_in_schema=False)
    async def page() -> Response:
        return FileResponse(_PAGE / "demo.html", headers={"Content-Security-Policy": policy})

    @routes.get("/settings")
    async def settings() -> dict[str, Any]:
        """Where the inbox is, and whose."""
        emulator = firestore._asdict() if firestore else None
        return {"publisher_url": publisher.url, "user_id": USER_ID, "firestore": emulator}

    @routes.post("/token")
    async def token() -> Response:
        """A new token for the user's inbox, as the server of a product gives it to its pages."""
        return await publisher.call("POST", f"/v1/users/{USER_ID}/inbox_token")

    @routes.post("/send")
    async def send(sending: Sending, request: Request) -> Response:
        """Send it. The response is the publisher's."""
        if sending.use_template:
            stored = await publisher.call("PUT", f"/v1/templates/{TEMPLATE}", {"content": _TEMPLATE_CONTENT})
            if stored.status_code >= HTTPStatus.BAD_REQUEST:
                return stored
        return await publisher.call("POST", "/v1/notifications", sending.notification(str(request.base_url)))

    @routes.get("/notifications/{notification_id}")
    async def notification(notification_id: UUID) -> Response:
        """The notification with its deliveries and its timeline."""
        return await publisher.call("GET", f"/v1/notifications/{notification_id}")

    return routes
