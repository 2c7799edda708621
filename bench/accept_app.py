"""The publisher with two more routes on the same server, for comparison.

``/validate_only`` authenticates, validates the same body and headers, and responds. ``/naive`` is the straightforward
implementation: one transaction per request, one statement per row, and a publish with Google's client before the
response.
"""

import os
from datetime import UTC, datetime
from typing import Annotated

import uuid_utils
from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse
from google.cloud.pubsub_v1 import PublisherClient
from psycopg.types.json import Jsonb

from postgres.pool import make_pool
from publisher_api.accept.parsing import parse
from publisher_api.accept.routes import IdempotencyKey, TraceParent
from publisher_api.app import create_app
from publisher_api.notifications.request import NotificationRequest
from publisher_api.outbox.message import message_of
from publisher_api.planning.plan import Plan, plan
from publisher_api.principal import Principal, Scope
from publisher_api.settings import Settings
from publisher_api.users.model import User
from publisher_api.web.authentication import authenticate
from publisher_api.web.services import ServiceRegistry, Services
from shared import logs
from shared.attributes import attributes_of
from shared.envelope import encode
from transport.pubsub import topic_path

logs.configure()
_settings = Settings.from_env(os.environ)
if _settings.google is None:
    raise SystemExit("This benchmark publishes to Pub/Sub: set GOOGLE_CLOUD_PROJECT.")
_topic = topic_path(_settings.google.project, _settings.google.topic)
_google = PublisherClient()
app = create_app(_settings)
# Of its own: the pool of the other routes refuses those who wait too many for it, and so would not measure this route.
_naive_pool = make_pool(_settings.database_url, _settings.connections)
_naive_pool.open()


async def _sender(request: Request) -> Principal:
    """The producer that calls. These routes have no row in the table of access, which is for the product's own."""
    caller = await authenticate(request, Scope.SEND)
    if not isinstance(caller, Principal):
        raise TypeError("A scope was asked for, so a producer must have called.")
    return caller


Sender = Annotated[Principal, Depends(_sender)]


@app.post("/validate_only", status_code=202)
async def validate_only(
    request: Request, _producer: Sender, _idempotency_key: IdempotencyKey = None, _traceparent: TraceParent = None
) -> JSONResponse:
    parse(await request.body())
    notification_id = str(uuid_utils.uuid7())
    location = {"Location": f"/v1/notifications/{notification_id}"}
    return JSONResponse({"notification_id": notification_id, "status": "queued"}, 202, headers=location)


@app.post("/naive", status_code=202)
async def naive(request: Request, producer: Sender, services: Services) -> JSONResponse:
    notification_id = await run_in_threadpool(_accept, services, parse(await request.body()), producer.producer)
    location = {"Location": f"/v1/notifications/{notification_id}"}
    return JSONResponse({"notification_id": notification_id, "status": "queued"}, 202, headers=location)


def _accept(services: ServiceRegistry, request: NotificationRequest, producer: str) -> str:
    configuration = services.cache.current()  # may take a connection itself, so call it before taking one
    with _naive_pool.connection() as connection:
        found = connection.execute("select * from users where user_id = %s", [request.user_id]).fetchone()
        devices = connection.execute("select token from devices where user_id = %s", [request.user_id]).fetchall()
        known = {name: found[name] for name in ("email", "phone", "locale", "timezone")} if found else {}
        user = User(user_id=request.user_id, devices=[device["token"] for device in devices], **known)
        now = datetime.now(UTC)
        planned = plan(request, producer, user, configuration, now=now, new_id=services.new_id)
        _insert(connection.execute, planned)
    for row in planned.deliveries:
        message = message_of(planned.notification, row, configuration.channels[row.channel])
        _google.publish(_topic, encode(message), **attributes_of(message)).result()
        with _naive_pool.connection() as connection:
            connection.execute(
                "update deliveries set status = 'queued', queued_at = now() where delivery_id = %s", [row.delivery_id]
            )
    return planned.notification.notification_id


def _insert(execute: object, planned: Plan) -> None:
    assert callable(execute)  # noqa: S101 - for the type checker
    n = planned.notification
    execute(
        """insert into notifications (notification_id, producer, user_id, event_type, channels, payload, priority,
                                      created_at, inbox_at) values (%s, %s, %s, %s, %s, %s, %s, %s, %s)""",
        [
            n.notification_id,
            n.producer,
            n.user_id,
            n.event_type,
            n.channels,
            Jsonb(n.payload),
            n.priority,
            n.created_at,
            n.inbox_at,
        ],
    )
    for d in planned.deliveries:
        execute(
            """insert into deliveries (delivery_id, notification_id, kind, slug, status, reason, recipient, content,
                                       due_at, expires_at, sweep_at, updated_at)
               values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, now())""",
            [
                d.delivery_id,
                d.notification_id,
                d.channel_type,
                d.channel,
                d.status,
                d.reason,
                d.recipient,
                Jsonb(d.content),
                d.due_at,
                d.expires_at,
                d.sweep_at,
            ],
        )
