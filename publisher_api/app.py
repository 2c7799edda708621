"""Creates the application: the one place where its parts are put together."""

import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

from postgres.pool import make_pool
from publisher_api.accept import routes as accept
from publisher_api.api_keys import routes as api_keys
from publisher_api.api_keys.service import ApiKeys
from publisher_api.api_keys.uses import KeyUses
from publisher_api.audit import routes as audit
from publisher_api.channels import config_routes as channel_configs
from publisher_api.channels import routes as channels
from publisher_api.channels.send_test import SendTests
from publisher_api.channels.service import Channels
from publisher_api.connections import Connections, connect, new_id, now
from publisher_api.deliveries import cancel_routes
from publisher_api.deliveries import routes as deliveries
from publisher_api.deliveries.intake import Intake
from publisher_api.devices import own_routes as own_devices
from publisher_api.devices import routes as devices
from publisher_api.erasures import routes as erasures
from publisher_api.erasures.service import Erasures
from publisher_api.event_types import routes as event_types
from publisher_api.export import routes as export
from publisher_api.hosting.backend import Backend
from publisher_api.hosting.container import ContainerBackend
from publisher_api.hosting.serverless import ServerlessBackend
from publisher_api.inbox import own_routes as own_inbox
from publisher_api.inbox import routes as inbox
from publisher_api.inbox import token_routes as inbox_tokens
from publisher_api.inbox.reader import PublishersReader, StateReader
from publisher_api.inbox.service import Inbox
from publisher_api.limits import routes as limits
from publisher_api.live import routes as live
from publisher_api.live.hub import Hub
from publisher_api.live.signals import called_at_a_stop
from publisher_api.notifications import own_routes as own_notifications
from publisher_api.notifications import routes as notifications
from publisher_api.preferences import default_routes as default_preferences
from publisher_api.preferences import own_routes as own_preferences
from publisher_api.preferences import routes as preferences
from publisher_api.retention import routes as retention
from publisher_api.settings import Settings
from publisher_api.templates import routes as templates
from publisher_api.users import routes as users
from publisher_api.web import documentation, health_routes, problems
from publisher_api.web.authentication import check_routes
from publisher_api.web.body_limit import BodyLimit
from publisher_api.web.google_pushes import GooglePushes
from publisher_api.web.health import Health
from publisher_api.web.inbox_tokens import InboxTokens
from publisher_api.web.origins import InboxOrigins
from publisher_api.web.producers import Producers
from publisher_api.web.services import ServiceRegistry
from shared.errors import ConfigurationError
from shared.profile import VARIABLE

# Each waits in one of the 40 threads that all plain functions share.
_MAX_WAITING_ROUTES = 16
# Pub/Sub pushes to the routes of deliveries. In every other profile the publisher takes the outcomes itself.
FEATURES = (
    accept,
    inbox,
    own_inbox,
    live,
    inbox_tokens,
    own_notifications,
    own_preferences,
    own_devices,
    notifications,
    cancel_routes,
    users,
    devices,
    erasures,
    export,
    preferences,
    default_preferences,
    templates,
    event_types,
    retention,
    channels,
    api_keys,
    audit,
    channel_configs,
    limits,
    deliveries,
    health_routes,
)


def create_app(settings: Settings, *, serverless: bool = False) -> FastAPI:
    """The publisher. ``serverless``: no thread works between requests.

    Waits for no other service: without Postgres it still starts, responds with 503, and gives the reason in its health
    check. Raises ``ConfigurationError``.
    """
    if serverless and settings.google is None:
        message = (
            f"DigitalOcean Functions work in the google profile only, and {VARIABLE} is {settings.profile}: no process"
            " would take the outcomes. Run the publisher in a container."
        )
        raise ConfigurationError(message)
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
    backend = _backend(settings, connections, serverless=serverless)
    state = StateReader(routes_pool)
    uses = KeyUses(routes_pool, now)
    hub = None if settings.google else Hub(settings.database_url, state, settings.live)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        routes_pool.open()
        backend.start()
        uses.start()
        # Not before: a queue may connect at once, and an application whose schema is read never closes it.
        intake = Intake(connections.transport, pool) if connections.transport else None
        if intake:
            intake.start()
        # What exists now stays. Without this the garbage collector scans all of it every few seconds and pauses every
        # request, which was most of the slowest percent.
        gc.collect()
        gc.freeze()
        if hub:
            hub.start()
            with called_at_a_stop(hub.end):
                yield
            await run_in_threadpool(hub.stop)
        else:
            yield
        if intake:
            await run_in_threadpool(intake.stop)
        await run_in_threadpool(backend.stop)
        await run_in_threadpool(uses.stop)
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
        channels=Channels(routes_pool, cache, now, new_id, backend.command_added),
        send_tests=SendTests(routes_pool, backend, now),
        inbox=Inbox(
            routes_pool,
            PublishersReader(routes_pool, now) if settings.google else state,
            now,
            new_id,
            backend.command_added,
        ),
        api_keys=ApiKeys(routes_pool, now, new_id, cache.drop),
        producers=Producers(cache, uses, settings.producers, now, threaded=not serverless),
        google_pushes=GooglePushes(settings.google) if settings.google else None,
        inbox_tokens=InboxTokens(settings.inbox, now),
        health=Health(pool, topic, now),
        live=hub,
        erasures=Erasures(routes_pool, now, new_id, backend.command_added),
        clock=now,
        new_id=new_id,
    )
    app.add_middleware(BodyLimit)
    app.add_middleware(InboxOrigins, origins=settings.inbox.origins)
    problems.install(app)
    features = FEATURES if settings.google else [feature for feature in FEATURES if feature is not deliveries]
    for feature in features:
        app.include_router(feature.router)
    documentation.install(app, [feature.router for feature in features])
    check_routes(app.routes)
    return app


def _backend(settings: Settings, connections: Connections, *, serverless: bool) -> Backend:
    parts = (connections.pool, connections.topic, connections.cache, connections.shares)
    if serverless:
        return ServerlessBackend(*parts, now, new_id)
    return ContainerBackend(*parts, settings.database_url, now, new_id, read_epoch=connections.epoch)
