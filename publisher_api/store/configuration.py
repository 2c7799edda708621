"""What operators set: templates, channels and API keys. Triggers tell every instance's catalog of a change."""

from typing import Any

from psycopg.types.json import Jsonb

from publisher_api.store.pool import Connected, one
from publisher_api.store.rows import ConfiguredChannel


def put_template(connection: Connected, name: str, content: dict[str, Any]) -> None:
    connection.execute(
        """
        insert into templates (template_name, content) values (%s, %s)
        on conflict (template_name) do update set content = excluded.content, updated_at = now()
        """,
        [name, Jsonb(content)],
    )


def get_template(connection: Connected, name: str) -> dict[str, Any] | None:
    return connection.execute(
        "select template_name, content, updated_at from templates where template_name = %s",
        [name],
    ).fetchone()


def put_channel(connection: Connected, channel: ConfiguredChannel) -> None:
    """Create or change a channel. A channel's kind stays what it was: deliveries in flight have been filtered by it."""
    connection.execute(
        """
        insert into channels (slug, kind, enabled, config, version) values (%s, %s, %s, %s, %s)
        on conflict (slug) do update
           set enabled = excluded.enabled, config = excluded.config, version = excluded.version, updated_at = now()
        """,
        [channel.slug, channel.kind, channel.enabled, Jsonb(channel.config), channel.version],
    )


def list_channels(connection: Connected) -> list[dict[str, Any]]:
    return connection.execute("select slug, kind, enabled, config, updated_at from channels order by slug").fetchall()


def lock_channels(connection: Connected) -> int:
    """Let one change to the channels happen at a time; the answer is the version that this change makes."""
    connection.execute("lock table channels in share row exclusive mode")
    row = one(connection.execute("select nextval('channels_version') as version"))
    version: int = row["version"]
    return version


def add_api_key(connection: Connected, key_id: str, key_hash: bytes, producer: str) -> None:
    connection.execute(
        "insert into api_keys (key_id, key_hash, producer) values (%s, %s, %s)",
        [key_id, key_hash, producer],
    )


def revoke_api_key(connection: Connected, key_id: str) -> bool:
    """Whether there was such a key that was not revoked yet."""
    statement = "update api_keys set revoked_at = now() where key_id = %s and revoked_at is null"
    return connection.execute(statement, [key_id]).rowcount == 1


def list_api_keys(connection: Connected) -> list[dict[str, Any]]:
    return connection.execute(
        "select key_id, producer, created_at, revoked_at from api_keys order by created_at"
    ).fetchall()
