"""The use cases of users."""

from collections.abc import Collection

from pydantic import ValidationError

from postgres.pool import Pool
from publisher_api.audit.service import record
from publisher_api.merge_patch import merged
from publisher_api.principal import Principal
from publisher_api.refusal import Refusal, not_found
from publisher_api.users import store
from publisher_api.users.model import User, UserFields, UserPage, UserView
from publisher_api.validation import refusal_of


def put_user(pool: Pool, user_id: str, fields: UserFields) -> UserView:
    """Create or replace a user; returns the user as stored."""
    with pool.connection() as connection:
        store.put_user(connection, user_id, fields)
        return _existing(store.get_user(connection, user_id), user_id)


def patch_user(pool: Pool, user_id: str, changes: UserFields) -> UserView:
    """Change the fields that ``changes`` has, and merge the attributes. Raises ``Refusal``."""
    with pool.connection() as connection:
        stored = store.lock_fields(connection, user_id)
        if stored is None:
            raise _unknown(user_id)
        try:
            fields = UserFields.model_validate(merged(stored, changes.model_dump(exclude_unset=True)))
        except ValidationError as error:  # the attributes may have become too large together
            raise refusal_of(error) from None
        store.put_user(connection, user_id, fields)
        return _existing(store.get_user(connection, user_id), user_id)


def get_user(pool: Pool, user_id: str) -> UserView:
    """The user. Raises ``Refusal``."""
    with pool.connection() as connection:
        return _existing(store.get_user(connection, user_id), user_id)


def list_users(pool: Pool, search: str | None, limit: int, after: str | None) -> UserPage:
    """The users that follow ``after``, of those whose id, e-mail address or phone number begins with ``search``."""
    with pool.connection() as connection:
        users = store.list_users(connection, search, limit + 1, after)
    return UserPage(users=users[:limit], next=users[limit - 1].user_id if len(users) > limit else None)


def delete_user(pool: Pool, user_id: str, caller: Principal) -> None:
    """Delete the user and their devices. Raises ``Refusal``."""
    with pool.connection() as connection:
        if not store.delete_user(connection, user_id):
            raise _unknown(user_id)
        record(connection, caller, "user.delete", f"users/{user_id}")


def load_users(pool: Pool, user_ids: Collection[str]) -> dict[str, User]:
    """The users among these, by id, as planning knows them."""
    with pool.connection() as connection:
        return {user.user_id: user for user in store.load_users(connection, user_ids)}


def _existing(user: UserView | None, user_id: str) -> UserView:
    if user is None:
        raise _unknown(user_id)
    return user


def _unknown(user_id: str) -> Refusal:
    return not_found(f"User {user_id!r}", f"Create it with PUT /v1/users/{user_id}.")
