"""A user, as planning knows it and as the API takes and shows it."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from publisher_api import addresses
from publisher_api.devices.model import DeviceView
from publisher_api.fields import Locale, Timezone
from publisher_api.json_body import MAX_DEPTH, deeper_than
from publisher_api.preferences.model import Preferences

MAX_ATTRIBUTES_BYTES = 16 * 1024


class User(msgspec.Struct, frozen=True, kw_only=True):
    """What planning knows of a user, who may have preferences only.

    ``devices`` are registration tokens, the newest first. ``tenants``: preferences within those tenants that were asked
    for.
    """

    user_id: str
    email: str | None = None
    phone: str | None = None
    locale: str | None = None
    timezone: str | None = None
    attributes: dict[str, Any] = msgspec.field(default_factory=dict)
    devices: list[str] = msgspec.field(default_factory=list)
    preferences: Preferences = msgspec.field(default_factory=Preferences)
    tenants: dict[str, Preferences] = msgspec.field(default_factory=dict)


def _attributes(attributes: dict[str, Any]) -> dict[str, Any]:
    if len(msgspec.json.encode(attributes)) > MAX_ATTRIBUTES_BYTES:
        raise ValueError(f"larger than {MAX_ATTRIBUTES_BYTES // 1024} KB of JSON")
    if deeper_than(attributes, MAX_DEPTH):
        raise ValueError(f"nested more than {MAX_DEPTH} levels deep")
    return attributes


class UserFields(BaseModel):
    """Where a user can be reached, and what templates may know of them."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "email": "ada@example.com",
                    "phone": "+447700900123",
                    "locale": "en-GB",
                    "timezone": "Europe/London",
                    "attributes": {"first_name": "Ada"},
                }
            ]
        },
    )

    email: Annotated[str, Field(json_schema_extra={"format": "email"}), AfterValidator(addresses.email)] | None = None
    phone: (
        Annotated[
            str, Field(description="E.164", json_schema_extra={"format": "phone"}), AfterValidator(addresses.phone)
        ]
        | None
    ) = None
    locale: Locale | None = None
    timezone: Timezone | None = None
    attributes: Annotated[dict[str, Any], AfterValidator(_attributes)] | None = Field(
        default=None, description="What templates read as `user.attributes`, 16 KB of JSON at most."
    )


class UserView(BaseModel):
    """A user and their devices. Registration tokens are never shown."""

    user_id: str
    email: str | None
    phone: str | None
    locale: str | None
    timezone: str | None
    attributes: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    devices: list[DeviceView]


class UserPage(BaseModel):
    """Users, sorted by their ids. `next` is the `after` of the page that follows; null on the last page."""

    users: list[UserView]
    next: str | None
