"""The application, wired: the only place where things are put together."""

import gc
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import uuid_utils
from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

from publisher_api import errors
from publisher_api.auth import ApiKeys, GooglePushes
from publisher_api.desks import ContainerDesk, FunctionDesk
from publisher_api.google_identity import credentials_from_env
from publisher_api.limits import BodyLimit
from publisher_api.routes import channels, health, inbox, notifications, outcomes, sending, templates, users
from publisher_api.services import Services
from publisher_api.settings import Settings
from publisher_api.store.catalog import Catalog
from publisher_api.store.pool import make_pool
from publisher_api.topic import Topic
from publisher_api.vitals import Vitals

_DESCRIPTION = """One POST reaches a person over e-mail, SMS, push, webhook and a live inbox.

A 202 means that the notification is committed. `GET /v1/notifications/{id}` says what became of it, step by step."""


def create_app(settings: Settings, *, serverless: bool = False) -> FastAPI:
    """The publisher. ``serverless``: no thread works between requests, and connections open at the first one.

    Waits for nobody: without Postgres it starts all the same, refuses with 503 and says in the health check why.
    """
    pool = make_pool(settings.database_url, settings.connections, behind_pooler=serverless)
    topic = Topic(settings.topic_path, os.environ.get("PUBSUB_EMULATOR_HOST"), credentials_from_env(os.environ))
    catalog = Catalog(pool)
    desk: ContainerDesk | FunctionDesk
    if serverless:
        desk = FunctionDesk(pool, topic, catalog, _now, _new_id)
        pool.open()
    else:
        desk = ContainerDesk(pool, topic, catalog, settings.database_url, _now, _new_id)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if isinstance(desk, ContainerDesk):
            pool.open()
            desk.start()
            # What was made until here stays. Without this the collector walks through all of it every few seconds, and
            # everybody waits: it was most of the slowest percent.
            gc.collect()
            gc.freeze()
        yield
        if isinstance(desk, ContainerDesk):
            await run_in_threadpool(desk.stop)
        topic.close()
        pool.close()

    app = FastAPI(
        title="Heliograph",
        version="1",
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url="/docs",
        redoc_url=None,
    )
    app.state.services = Services(
        pool=pool,
        catalog=catalog,
        desk=desk,
        api_keys=ApiKeys(catalog),
        google_pushes=GooglePushes(settings),
        vitals=Vitals(pool, topic, _now),
        clock=_now,
        new_id=_new_id,
    )
    app.add_middleware(BodyLimit)
    errors.install(app)
    for resource in (sending, inbox, notifications, users, templates, channels, outcomes, health):
        app.include_router(resource.router)
    return app


def _now() -> datetime:
    return datetime.now(UTC)


def _new_id() -> str:
    return str(uuid_utils.uuid7())
