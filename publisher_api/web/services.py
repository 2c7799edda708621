"""What the routes work with: made once by ``create_app``, and given to each route as a parameter."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request

from postgres.pool import Pool
from publisher_api.api_keys.service import ApiKeys
from publisher_api.channels.send_test import SendTests
from publisher_api.channels.service import Channels
from publisher_api.db.config_cache import ConfigCache
from publisher_api.erasures.service import Erasures
from publisher_api.hosting.backend import Backend
from publisher_api.inbox.service import Inbox
from publisher_api.live.hub import Hub
from publisher_api.principal import Principal
from publisher_api.web.authentication import calling_producer, calling_user
from publisher_api.web.google_pushes import GooglePushes
from publisher_api.web.health import Health
from publisher_api.web.inbox_tokens import InboxTokens, InboxUser
from publisher_api.web.producers import Producers


@dataclass(frozen=True, slots=True)
class ServiceRegistry:
    """Everything that outlives a request. ``new_id`` gives UUIDs of version 7.

    ``google_pushes`` is None outside of the google profile, and ``live`` is None in it: clients listen to Firestore.
    """

    pool: Pool
    cache: ConfigCache
    backend: Backend
    channels: Channels
    send_tests: SendTests
    inbox: Inbox
    api_keys: ApiKeys
    producers: Producers
    google_pushes: GooglePushes | None
    inbox_tokens: InboxTokens
    health: Health
    live: Hub | None
    clock: Callable[[], datetime]
    erasures: Erasures
    new_id: Callable[[], str]


async def _services(request: Request) -> ServiceRegistry:  # async: FastAPI runs plain functions in a thread
    services: ServiceRegistry = request.app.state.services
    return services


Services = Annotated[ServiceRegistry, Depends(_services)]
Producer = Annotated[Principal, Depends(calling_producer)]
Caller = Annotated[InboxUser, Depends(calling_user)]
