"""A user with an inbox token, and what a worker does to the user's inbox."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import httpx
import jwt

from functions.inapp import commands
from functions.inapp.inbox import InboxProvider
from functions.postgres.inbox import PostgresInbox
from postgres.pool import make_pool
from publisher_api.inbox.settings import InboxSettings
from tests.fakes import MemorySwitchStore

if TYPE_CHECKING:
    from tests.publisher.running import Publisher

ORIGIN = "https://shop.example"
INBOX = InboxSettings(token_secret="s" * 32, origins=frozenset({ORIGIN}))
now = partial(datetime.now, UTC)


def signed_token(user_id: str, seconds: float, secret: str = INBOX.token_secret, **others: str) -> str:
    """A token that is accepted for so many seconds more: 30 s after its ``exp``. ``others`` replace its claims."""
    times = {"iat": now() - timedelta(hours=1), "exp": now() + timedelta(seconds=seconds - 30)}
    claims = {"iss": "heliograph", "aud": "inbox", "sub": user_id} | times | others
    return jwt.encode(claims, secret, algorithm="HS256")


def new_user() -> str:
    return f"u-{uuid.uuid4().hex}"


@dataclass
class OwnInbox:
    """The inbox of one user, called with the user's own token."""

    publisher: "Publisher"
    user_id: str = field(default_factory=new_user)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.publisher.url, headers=self.authorization, timeout=20)

    @property
    def token(self) -> str:
        return self.publisher.inbox_token(self.user_id)

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def read(self, **query: str | int) -> dict[str, Any]:
        response = self.http.get("/v1/inbox", params=query)
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    def ids(self, **query: str | int) -> list[str]:
        return [entry["notification_id"] for entry in self.read(**query)["entries"]]

    def counts(self) -> tuple[int, int]:
        """How many are unseen, and unread."""
        counts = self.read(limit=1)["counts"]
        return counts["unseen"], counts["unread"]

    def mark(self, action: str, *notification_ids: str) -> int:
        body = {"notification_ids": list(notification_ids)} if notification_ids else None
        response = self.http.post(f"/v1/inbox/{action}", json=body)
        assert response.status_code == 200, response.text
        marked: int = response.json()["marked"]
        return marked


class Worker:
    """Delivers into the inboxes, and carries commands out, as the worker does. In the google profile there is none."""

    def __init__(self, publisher: "Publisher") -> None:
        self._publisher = publisher
        self._works = publisher.settings.google is None
        self.pool = make_pool(publisher.database_url, 4, always_autocommit=True)
        if self._works:
            self.pool.open()
        self.inbox = PostgresInbox(self.pool)

    def close(self) -> None:
        self.pool.close()

    def deliver(self, *notification_ids: str) -> None:
        for notification_id in notification_ids if self._works else ():
            [delivery] = self._publisher.topic.deliveries(notification_id)
            InboxProvider(self.inbox, now).send(delivery)

    def obey(self, user_id: str, count: int) -> list[str]:
        """Carry out the commands about a user, as soon as there are ``count``; returns their names."""
        found = self._publisher.topic.commands(user_id, count)
        for command in found if self._works else ():
            commands.apply(command, self.inbox, MemorySwitchStore(), now())
        return [command.command for command in found]
