"""The use cases of limits."""

from collections.abc import Sequence
from typing import Any

from postgres.pool import Pool, autocommit
from publisher_api.audit.service import record
from publisher_api.configuration import Configuration
from publisher_api.db.config_cache import ConfigCache
from publisher_api.limits import store
from publisher_api.limits.model import INBOX, MAX_LIMITS, SCOPE, LimitFields, LimitList, LimitView
from publisher_api.limits.tokens import Claim, Taken
from publisher_api.principal import Principal
from publisher_api.refusal import Refusal, invalid, not_found


def take(pool: Pool, claims: Sequence[Claim]) -> Taken:
    """Take tokens for the claims, in their order; returns when that is committed. Raises ``psycopg.Error``."""
    with autocommit(pool) as connection:
        return store.take(connection, claims)


def put_limit(pool: Pool, cache: ConfigCache, scope: str, fields: LimitFields, caller: Principal) -> LimitView:
    """Declare a limit, or replace it. Raises ``Refusal``."""
    check(scope, cache.current())
    with pool.connection() as connection:
        store.lock_limits(connection)
        before = store.get_limit(connection, scope)
        view = store.put_limit(connection, scope, fields, MAX_LIMITS)
        if view is None:
            raise invalid("scope", f"there are {MAX_LIMITS} limits already; delete one that is not needed")
        old = _recorded(before) if before is not None else None
        record(connection, caller, "limit.put", f"limits/{scope}", before=old, after=_recorded(view))
    cache.drop()
    return view


def get_limit(pool: Pool, scope: str) -> LimitView:
    """The limit. Raises ``Refusal``."""
    with pool.connection() as connection:
        view = store.get_limit(connection, scope)
    if view is None:
        raise _undeclared(scope)
    return view


def list_limits(pool: Pool) -> LimitList:
    """The declared limits, by scope."""
    with pool.connection() as connection:
        return LimitList(limits=store.list_limits(connection))


def delete_limit(pool: Pool, cache: ConfigCache, scope: str, caller: Principal) -> None:
    """Delete the limit. Raises ``Refusal``."""
    with pool.connection() as connection:
        store.lock_limits(connection)
        before = store.get_limit(connection, scope)
        if before is None:
            raise _undeclared(scope)
        store.delete_limit(connection, scope)
        record(connection, caller, "limit.delete", f"limits/{scope}", before=_recorded(before))
    cache.drop()


def check(scope: str, configuration: Configuration) -> None:
    """Raises ``Refusal`` for a scope that can have no limit."""
    if not SCOPE.fullmatch(scope):
        raise invalid("scope", "must be producer, user, producer:NAME or channel:SLUG")
    kind, _, slug = scope.partition(":")
    if kind != "channel":
        return
    channel = configuration.channels.get(slug)
    if channel is None:
        raise not_found(f"Channel {slug!r}", f"Create it with PUT /v1/channels/{slug}.")
    if channel.channel_type == INBOX:
        raise invalid("scope", "an inbox has no provider that a limit could spare; limit the user instead")


def _recorded(view: LimitView) -> dict[str, Any]:
    return view.model_dump(include=set(LimitFields.model_fields))


def _undeclared(scope: str) -> Refusal:
    return not_found(f"Limit {scope!r}", f"Declare it with PUT /v1/limits/{scope}.")
