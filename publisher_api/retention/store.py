"""Retention in Postgres: one document for the environment, and the event types that have notifications."""

from typing import Any

import msgspec
from psycopg.types.json import Jsonb

from postgres.pool import Connected, fetch_one
from publisher_api.retention.model import RetentionFields, StoredType


def get_fields(connection: Connected) -> RetentionFields:
    """What is stored for the environment."""
    return RetentionFields.model_validate(fetch_one(connection.execute("select document from retention"))["document"])


def lock_document(connection: Connected) -> dict[str, Any]:
    """What is stored for the environment, held until the transaction ends."""
    document: dict[str, Any] = fetch_one(connection.execute("select document from retention for update"))["document"]
    return document


def put_document(connection: Connected, document: dict[str, Any]) -> None:
    """Replace what is stored for the environment."""
    connection.execute("update retention set document = %s, updated_at = now()", [Jsonb(document)])


def stored_types(connection: Connected) -> list[StoredType]:
    """The event types that have notifications. Reads one entry of the index for each."""
    rows = connection.execute(
        """
        with recursive seen as (
            (select event_type from notifications order by event_type limit 1)
             union all
            select (select n.event_type from notifications n where n.event_type > seen.event_type
                     order by n.event_type limit 1)
              from seen where seen.event_type is not null
        )
        select event_type, (e.declaration ->> 'retention_days')::int as retention_days,
               e.declaration ->> 'category' as category
          from seen left join event_types e using (event_type) where event_type is not null
        """
    ).fetchall()
    return msgspec.convert(rows, list[StoredType])
