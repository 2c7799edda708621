"""The sandbox's application: the provider stubs, the API for tests, the page of what arrived, and the demo page."""

from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import FileResponse, Response
from fastapi.staticfiles import StaticFiles

from local.sandbox import control, demo, fcm, sendgrid, twilio, webhook
from local.sandbox.demo import Publisher
from local.sandbox.provider_stub import ProviderStub

_PAGE = Path(__file__).with_name("page")
_WEB = Path(__file__).parents[2] / "web"
# The frames that show e-mails inherit this policy: no script in them runs, and they load nothing from other hosts.
_POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; script-src 'self'; object-src 'none'"
)


def create_app(stub: ProviderStub, publisher: Publisher | None = None) -> FastAPI:
    """The sandbox over the state in ``stub``. With a publisher it serves the demo page, too."""
    app = FastAPI(title="Heliograph sandbox")
    for module in (sendgrid, twilio, fcm, webhook, control):
        app.include_router(module.router(stub))

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return FileResponse(_PAGE / "index.html", headers={"Content-Security-Policy": _POLICY})

    if publisher is not None:
        app.include_router(demo.router(publisher))
        app.mount("/inbox", StaticFiles(directory=_WEB / "inbox" / "dist"))
        app.mount("/firestore", StaticFiles(directory=_WEB / "demo" / "dist"))
    app.mount("/page", StaticFiles(directory=_PAGE))
    return app
