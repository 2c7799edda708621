"""``python -m local.sandbox``: serves the sandbox on 127.0.0.1:PORT until the process ends."""

import os

import uvicorn

from local.sandbox import inboxes
from local.sandbox.app import create_app
from local.sandbox.demo import Publisher
from local.sandbox.provider_stub import Credentials, ProviderStub

stub = ProviderStub(Credentials.from_env(os.environ))
publisher = Publisher.from_env(os.environ)
if publisher is not None:
    inboxes.watch(os.environ, stub.arrivals)
uvicorn.run(
    create_app(stub, publisher),
    host="127.0.0.1",
    port=int(os.environ.get("PORT", "8025")),
    access_log=False,
    timeout_graceful_shutdown=1,  # requests may hang on purpose
)
