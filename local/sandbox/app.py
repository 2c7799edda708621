"""The sandbox's application: the providers, what tests ask of it, and the page."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles

from local.sandbox import control, fcm, sendgrid, twilio, webhook
from local.sandbox.provider_stub import Credentials, Desk

_PAGE = Path(__file__).with_name("page")
# E-mails are shown in frames that inherit this: nothing in them runs, and nothing is fetched from elsewhere.
_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; script-src 'self'; object-src 'none'"
)


def create_app(credentials: Credentials) -> FastAPI:
    """The sandbox for providers that accept ``credentials``."""
    app = FastAPI(title="Heliograph's sandbox")
    desk = Desk(credentials)
    for part in (sendgrid, twilio, fcm, webhook, control):
        app.include_router(part.router(desk))

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return FileResponse(_PAGE / "index.html", headers={"Content-Security-Policy": _POLICY})

    app.mount("/page", StaticFiles(directory=_PAGE))
    return app
