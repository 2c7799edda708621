"""A device, as the API takes and shows it."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from publisher_api import addresses

Platform = Literal["android", "ios", "web"]


class DeviceFields(BaseModel):
    """A device's registration token, as the platform's SDK gave it to the app."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[
        str,
        Field(min_length=1, max_length=addresses.MAX_TOKEN, pattern="^[!-~]+$"),
        AfterValidator(addresses.device_token),
    ]
    platform: Platform


class DeviceView(BaseModel):
    """A registered device, without its token, which is an address."""

    device_id: UUID
    platform: Platform
    created_at: datetime
    seen_at: datetime


class DeviceList(BaseModel):
    """The devices of a user."""

    devices: list[DeviceView]
