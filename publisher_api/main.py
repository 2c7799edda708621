"""The entry points: ``app`` for a container (any ASGI server), ``main`` and ``sweep`` for DigitalOcean Functions."""

import os
from typing import Any

from fastapi import FastAPI

from publisher_api.app import create_app
from publisher_api.cli.sweep import sweeping
from publisher_api.hosting.digitalocean import Handler
from publisher_api.settings import Settings
from shared import logs

_handler = Handler(lambda: create_app(Settings.from_env(os.environ), serverless=True))


def __getattr__(name: str) -> FastAPI:
    """Create ``app`` when a server asks for it, and not when DigitalOcean imports this module for ``main``."""
    if name == "app":
        logs.configure()
        return create_app(Settings.from_env(os.environ))
    message = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(message)


def main(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one ``web: raw`` event of DigitalOcean Functions."""
    return _handler(event, context)


def sweep(event: dict[str, Any], context: Any) -> dict[str, int]:  # noqa: ARG001 - DigitalOcean passes both
    """Sweep once, when DigitalOcean Functions' scheduler calls this."""
    logs.configure()
    with sweeping(Settings.from_env(os.environ)) as sweep_once:
        return {"published": sweep_once()}
