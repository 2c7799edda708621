"""People: where they can be reached."""

from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from fastapi import APIRouter
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from publisher_api import recipients
from publisher_api.accept.request import UserId
from publisher_api.errors import Problem
from publisher_api.services import Producer, Serving
from publisher_api.store import people

router = APIRouter(prefix="/v1/users", tags=["people"])


def _timezone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("not a time zone of the IANA database, like Europe/Paris")
    return name


class UserFields(BaseModel):
    """What is known of a person. PUT replaces all of it: a field that is left out is forgotten."""

    model_config = ConfigDict(extra="forbid")

    email: Annotated[str, AfterValidator(recipients.email)] | None = None
    phone: Annotated[str, AfterValidator(recipients.phone)] | None = None
    locale: Annotated[str, Field(pattern=r"^[A-Za-z]{2,8}([_-][A-Za-z0-9]{1,8})*$", max_length=35)] | None = None
    timezone: Annotated[str, AfterValidator(_timezone)] | None = None


class DeviceFields(BaseModel):
    """A device's registration token, as the platform's SDK gave it to the app."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, AfterValidator(recipients.token)]
    platform: Literal["android", "ios", "web"]


@router.put("/{user_id}")
def put(user_id: UserId, fields: UserFields, _producer: Producer, services: Serving) -> dict[str, Any]:
    """Create a person, or replace what is known of them."""
    with services.pool.connection() as connection:
        people.put_user(connection, user_id, fields.model_dump())
        return people.get_user(connection, user_id) or {}


@router.get("/{user_id}")
def show(user_id: UserId, _producer: Producer, services: Serving) -> dict[str, Any]:
    """A person and their devices. Registration tokens are not shown."""
    with services.pool.connection() as connection:
        user = people.get_user(connection, user_id)
    if user is None:
        raise Problem(
            404, "not_found", f"Nobody is known by the id {user_id!r}; PUT /v1/users/{user_id} makes them known."
        )
    return user


@router.post("/{user_id}/devices", status_code=201)
def add_device(user_id: UserId, fields: DeviceFields, _producer: Producer, services: Serving) -> dict[str, Any]:
    """Register a device for push. A token that is known already moves to this person."""
    with services.pool.connection() as connection:
        return people.put_device(connection, services.new_id(), user_id, fields.token, fields.platform)
