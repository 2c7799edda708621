"""A running publisher, and the smallest request for it."""

import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
import psycopg
from psycopg.rows import DictRow, dict_row

from local.tokens import Signer
from tests.publisher.topic import Inspected

LATER = (datetime.now(UTC) + timedelta(days=300)).isoformat()
AUDIENCE = "https://publisher.test/internal/outcomes"
SERVICE_ACCOUNT = "push@project.iam.gserviceaccount.com"


@dataclass
class Publisher:
    """A running publisher: ``http`` sends an API key, ``topic`` reads what was published, ``sql`` queries."""

    url: str
    api_key: str
    database_url: str
    topic: Inspected
    signer: Signer
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {self.api_key}"}, timeout=20)

    def sql(self, statement: str, *parameters: object) -> list[DictRow]:
        with psycopg.connect(self.database_url, row_factory=dict_row, autocommit=True) as connection:
            cursor = connection.execute(statement, parameters)
            return cursor.fetchall() if cursor.description is not None else []

    def accept(self, **fields: object) -> str:
        """Send a notification that must be accepted; returns its id."""
        response = self.http.post("/v1/notifications", json=notification(**fields))
        assert response.status_code == 202, response.text
        notification_id: str = response.json()["notification_id"]
        return notification_id

    def read(self, notification_id: str) -> dict[str, object]:
        response = self.http.get(f"/v1/notifications/{notification_id}")
        assert response.status_code == 200, response.text
        found: dict[str, object] = response.json()
        return found


def notification(**fields: object) -> dict[str, object]:
    """The smallest request, with ``fields`` over it."""
    return {
        "user_id": f"u-{uuid.uuid4().hex[:8]}",
        "event_type": "payment",
        "channels": ["inapp"],
        "payload": {},
    } | fields
