"""A user, as planning knows it and as the API takes and shows it."""

from datetime import datetime
from typing import Annotated
from zoneinfo import available_timezones

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from publisher_api import addresses
from publisher_api.devices.model import DeviceView


class User(msgspec.Struct, frozen=True, kw_only=True):
    """What planning knows of a user. ``devices`` are registration tokens, the newest first."""

    user_id: str
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    timezone: str | None = None
    devices: list[str] = msgspec.field(default_factory=list)


def _timezone(name: str) -> str:
    if name not in available_timezones():
        raise ValueError("not a time zone of the IANA database, like Europe/Paris")
    return name


class UserFields(BaseModel):
    """Where a user can be reached. PUT replaces everything: a field that is left out is deleted."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"email": "ada@example.com", "phone": "+447700900123", "locale": "en-GB"}]},
    )

    email: Annotated[str, Field(json_schema_extra={"format": "email"}), AfterValidator(addresses.email)] | None = None
    phone: (
        Annotated[
            str, Field(description="E.164", json_schema_extra={"format": "phone"}), AfterValidator(addresses.phone)
        ]
        | None
    ) = None
    locale: Annotated[str, Field(pattern=r"^[A-Za-z]{2,8}([_-][A-Za-z0-9]{1,8})*$", max_length=35)] | None = None
    timezone: (
        Annotated[
            str,
            Field(description="IANA, like Europe/Paris", json_schema_extra={"format": "timezone"}),
            AfterValidator(_timezone),
        ]
        | None
    ) = None


class UserView(BaseModel):
    """A user and their devices. Registration tokens are never shown."""

    user_id: str
    email: str | None
    phone: str | None
    locale: str | None
    timezone: str | None
    created_at: datetime
    updated_at: datetime
    devices: list[DeviceView]
