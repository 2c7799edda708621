"""The use cases of users."""

from collections.abc import Collection

from postgres.pool import Pool
from publisher_api.refusal import not_found
from publisher_api.users import store
from publisher_api.users.model import User, UserFields, UserView


def put_user(pool: Pool, user_id: str, fields: UserFields) -> UserView:
    """Create or replace a user; returns the user as stored."""
    with pool.connection() as connection:
        store.put_user(connection, user_id, fields)
        return _existing(store.get_user(connection, user_id), user_id)


def get_user(pool: Pool, user_id: str) -> UserView:
    """The user. Raises ``Refusal``."""
    with pool.connection() as connection:
        return _existing(store.get_user(connection, user_id), user_id)


def load_users(pool: Pool, user_ids: Collection[str]) -> dict[str, User]:
    """The users among these, by id, as planning knows them."""
    with pool.connection() as connection:
        return {user.user_id: user for user in store.load_users(connection, user_ids)}


def _existing(user: UserView | None, user_id: str) -> UserView:
    if user is None:
        raise not_found(f"User {user_id!r}", f"Create it with PUT /v1/users/{user_id}.")
    return user
