"""What the routes work with: made once by ``create_app``, reached through ``request.app``."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol

from fastapi import Depends, Request

from publisher_api.accept.accept import Answer, Submission
from publisher_api.auth import ApiKeys, GooglePushes
from publisher_api.errors import Problem
from publisher_api.store.catalog import Catalog
from publisher_api.store.pool import Pool
from publisher_api.vitals import Vitals
from shared.outcomes import Outcome


class Desk(Protocol):
    """Where requests are handed in: a container batches what waits, a DigitalOcean Function works on its one."""

    async def accept(self, submission: Submission) -> Answer | Problem: ...

    async def record(self, outcome: Outcome) -> None: ...

    def commands_waiting(self) -> None:
        """Say that a command was put into the outbox and committed."""


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that outlives a request. ``clock`` gives aware times, ``new_id`` UUIDs of version 7."""

    pool: Pool
    catalog: Catalog
    desk: Desk
    api_keys: ApiKeys
    google_pushes: GooglePushes
    vitals: Vitals
    clock: Callable[[], datetime]
    new_id: Callable[[], str]


async def _services(request: Request) -> Services:  # async, or FastAPI would pass through a thread for it
    services: Services = request.app.state.services
    return services


Serving = Annotated[Services, Depends(_services)]


async def _producer(request: Request, services: Serving) -> str:
    return await services.api_keys.producer(request)


def _google_push(request: Request, services: Serving) -> None:
    services.google_pushes.verify(request)


# The three rules of authentication. A route has exactly one, and a test lists them all.
Producer = Annotated[str, Depends(_producer)]
GooglePush = Depends(_google_push)
PUBLIC = "public"
