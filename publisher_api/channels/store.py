"""Channels in Postgres. A trigger announces each change to the cached configuration of every instance."""

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from postgres.pool import Connected, fetch_one
from publisher_api.channels.model import Channel, ChannelView


def list_channels(connection: Connected) -> list[ChannelView]:
    """All channels, by slug."""
    with connection.cursor(row_factory=class_row(ChannelView)) as cursor:
        cursor.execute(
            """
            select slug as channel, kind as channel_type, enabled, config, updated_at from channels order by slug
            """
        )
        return cursor.fetchall()


def put_channel(connection: Connected, channel: Channel) -> ChannelView:
    """Create or change a channel. Its type stays: messages on their way were routed by it."""
    row = fetch_one(
        connection.execute(
            """
            insert into channels (slug, kind, enabled, config, version) values (%s, %s, %s, %s, %s)
            on conflict (slug) do update
               set enabled = excluded.enabled, config = excluded.config, version = excluded.version, updated_at = now()
            returning slug as channel, kind as channel_type, enabled, config, updated_at
            """,
            [channel.slug, channel.channel_type, channel.enabled, Jsonb(channel.config), channel.version],
        )
    )
    return ChannelView(**row)


def lock_channels(connection: Connected) -> int:
    """Allow one change to the channels at a time; returns the version of the switches that this change makes."""
    connection.execute("lock table channels in share row exclusive mode")
    version: int = fetch_one(connection.execute("select nextval('channels_version') as version"))["version"]
    return version


def delete_channel(connection: Connected, slug: str) -> None:
    """Delete the channel. Its deliveries keep its slug."""
    connection.execute("delete from channels where slug = %s", [slug])
