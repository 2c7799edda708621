"""``python -m local.sandbox``: serves the sandbox on 127.0.0.1:PORT until the process ends."""

import os

import uvicorn

from local.sandbox.app import create_app
from local.sandbox.demo import Publisher
from local.sandbox.provider_stub import Credentials

uvicorn.run(
    create_app(Credentials.from_env(os.environ), Publisher.from_env(os.environ)),
    host="127.0.0.1",
    port=int(os.environ.get("PORT", "8025")),
    access_log=False,
    timeout_graceful_shutdown=1,  # requests may hang on purpose
)
