"""The use cases of preferences."""

from datetime import datetime
from typing import Any

import msgspec
from pydantic import ValidationError

from postgres.pool import Connected, Pool
from publisher_api.audit.service import record
from publisher_api.configuration import Configuration
from publisher_api.db.config_cache import ConfigCache
from publisher_api.merge_patch import merged
from publisher_api.planning.hold import quiet_until
from publisher_api.planning.preference import Layers, layers_of, verdict_on
from publisher_api.preferences import store
from publisher_api.preferences.model import (
    MAX_TENANTS,
    ChannelExplanation,
    Explanation,
    PreferenceFields,
    Preferences,
    PreferenceView,
)
from publisher_api.principal import Principal
from publisher_api.refusal import invalid
from publisher_api.users.model import User
from publisher_api.validation import refusal_of


def get_preferences(pool: Pool, user_id: str, tenant: str | None) -> PreferenceView:
    """The choices that the user made, for everything or within ``tenant``; empty if there are none."""
    with pool.connection() as connection:
        return PreferenceView(preferences=store.get_preferences(connection, user_id, tenant))


def put_preferences(pool: Pool, user_id: str, tenant: str | None, fields: PreferenceFields) -> PreferenceView:
    """Replace the preferences of the user, for everything or within ``tenant``. Raises ``Refusal``."""
    document = _document(fields)
    with pool.connection() as connection:
        store.lock_user(connection, user_id)
        _put(connection, user_id, tenant, document)
    return PreferenceView(preferences=document)


def patch_preferences(pool: Pool, user_id: str, tenant: str | None, changes: PreferenceFields) -> PreferenceView:
    """Change the choices that ``changes`` has; null makes one no choice. Raises ``Refusal``."""
    with pool.connection() as connection:
        store.lock_user(connection, user_id)
        stored = store.get_preferences(connection, user_id, tenant)
        try:
            fields = PreferenceFields.model_validate(merged(stored, changes.model_dump(exclude_unset=True)))
        except ValidationError as error:  # together there may be too many lines
            raise refusal_of(error) from None
        document = _document(fields)
        _put(connection, user_id, tenant, document)
    return PreferenceView(preferences=document)


def _put(connection: Connected, user_id: str, tenant: str | None, document: dict[str, Any]) -> None:
    """Replace the preferences of a user who is locked. Raises ``Refusal`` if they are within too many tenants."""
    if tenant is not None and document and store.count_other_tenants(connection, user_id, tenant) >= MAX_TENANTS:
        message = (
            f"the user has choices within {MAX_TENANTS} tenants, which is the most; take back those within one that is"
            " not needed any more: PUT {} with its tenant"
        )
        raise invalid("tenant", message)
    store.put_preferences(connection, user_id, tenant, document)


def get_defaults(pool: Pool) -> PreferenceView:
    """The preferences of the environment."""
    with pool.connection() as connection:
        return PreferenceView(preferences=store.get_defaults(connection))


def put_defaults(pool: Pool, cache: ConfigCache, fields: PreferenceFields, caller: Principal) -> PreferenceView:
    """Replace the preferences of the environment."""
    document = _document(fields)
    with pool.connection() as connection:
        before = store.lock_defaults(connection)
        store.put_defaults(connection, document)
        record(connection, caller, "preferences.put", "preferences", before=before, after=document)
    cache.drop()
    return PreferenceView(preferences=document)


def explain(
    pool: Pool, configuration: Configuration, user_id: str, tenant: str | None, event_type: str, now: datetime
) -> Explanation:
    """What the preferences say about an event type, for each configured channel."""
    with pool.connection() as connection:
        user = User(
            user_id=user_id,
            timezone=store.get_timezone(connection, user_id),
            preferences=_loaded(connection, user_id, None),
            tenants={tenant: _loaded(connection, user_id, tenant)} if tenant is not None else {},
        )
    return explained(configuration, user, event_type, layers_of(user, tenant, configuration.preferences), now)


def _loaded(connection: Connected, user_id: str, tenant: str | None) -> Preferences:
    return msgspec.convert(store.get_preferences(connection, user_id, tenant), Preferences)


def explained(configuration: Configuration, user: User, event_type: str, layers: Layers, now: datetime) -> Explanation:
    """The verdict on each channel, by slug."""
    declared = configuration.event_types.get(event_type)
    channels = []
    for slug in sorted(configuration.channels):
        channel = configuration.channels[slug]
        verdict = verdict_on(event_type, declared, channel, layers)
        channels.append(
            ChannelExplanation(
                channel=slug,
                channel_type=channel.channel_type,
                wanted=verdict.wanted,
                decided_by=verdict.layer,
                line=verdict.line,
                quiet_until=quiet_until(layers, user, channel, now),
            )
        )
    category = declared.category if declared is not None else None
    return Explanation(user_id=user.user_id, event_type=event_type, category=category, channels=channels)


def _document(fields: PreferenceFields) -> dict[str, Any]:
    """What is stored: without what is no choice."""
    return merged({}, fields.model_dump(exclude_unset=True))
