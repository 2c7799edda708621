"""Creates the application: the one place where its parts are put together."""

import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uuid_utils
from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

from publisher_api.accept import routes as accept
from publisher_api.channels import routes as channels
from publisher_api.channels.service import Channels
from publisher_api.connections import connect, now
from publisher_api.db.config_cache import ConfigCache
from publisher_api.db.pool import Pool, make_pool
from publisher_api.deliveries import routes as deliveries
from publisher_api.devices import routes as devices
from publisher_api.hosting.backend import Backend
from publisher_api.hosting.container import ContainerBackend
from publisher_api.hosting.serverless import ServerlessBackend
from publisher_api.inbox import routes as inbox
from publisher_api.inbox.service import Inbox
from publisher_api.notifications import routes as notifications
from publisher_api.settings import Settings
from publisher_api.templates import routes as templates
from publisher_api.users import routes as users
from publisher_api.web import documentation, health_routes, problems
from publisher_api.web.authentication import ApiKeys, GooglePushes
from publisher_api.web.body_limit import BodyLimit
from publisher_api.web.health import Health
from publisher_api.web.services import ServiceRegistry
from shared.envelope import Message
from transport.port import Topic

# Each waits in one of the 40 threads that all plain functions share.
_MAX_WAITING_ROUTES = 16
FEATURES = (accept, inbox, notifications, users, devices, templates, channels, deliveries, health_routes)


def create_app(settings: Settings, *, serverless: bool = False) -> FastAPI:
    """The publisher. ``serverless``: no thread works between requests.

    Waits for no other service: without Postgres it still starts, responds with 503, and gives the reason in its health
    check.
    """
    for_routes = max(1, settings.connections // 3)
    connections = connect(
        settings,
        os.environ,
        settings.connections if serverless else max(1, settings.connections - for_routes),
        behind_pooler=serverless,
    )
    pool, topic, cache = connections.pool, connections.topic, connections.cache
    # The other routes may take long, so they have connections of their own. A DigitalOcean Function handles one request
    # at a time.
    routes_pool = pool if serverless else make_pool(settings.database_url, for_routes, max_waiting=_MAX_WAITING_ROUTES)
    backend = _backend(settings, pool, topic, cache, serverless=serverless)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        routes_pool.open()
        backend.start()
        # What exists now stays. Without this the garbage collector scans all of it every few seconds and pauses every
        # request, which was most of the slowest percent.
        gc.collect()
        gc.freeze()
        yield
        await run_in_threadpool(backend.stop)
        routes_pool.close()
        connections.close()

    app = FastAPI(
        title="Heliograph",
        version="1",
        description=documentation.DESCRIPTION,
        openapi_tags=documentation.TAGS,
        lifespan=lifespan,
        docs_url=None,  # documentation.install serves it without the internet
        redoc_url=None,
    )
    app.state.services = ServiceRegistry(
        pool=routes_pool,
        cache=cache,
        backend=backend,
        channels=Channels(routes_pool, cache, now, _new_id, backend.command_added),
        inbox=Inbox(routes_pool, now, _new_id, backend.command_added),
        api_keys=ApiKeys(cache),
        google_pushes=GooglePushes(settings),
        health=Health(pool, topic, now),
        new_id=_new_id,
    )
    app.add_middleware(BodyLimit)
    problems.install(app)
    for feature in FEATURES:
        app.include_router(feature.router)
    documentation.install(app, [feature.router for feature in FEATURES])
    return app


def _backend(settings: Settings, pool: Pool, topic: Topic[Message], cache: ConfigCache, *, serverless: bool) -> Backend:
    if serverless:
        return ServerlessBackend(pool, topic, cache, now, _new_id)
    return ContainerBackend(pool, topic, cache, settings.database_url, now, _new_id)


def _new_id() -> str:
    return str(uuid_utils.uuid7())
