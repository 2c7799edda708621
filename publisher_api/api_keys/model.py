"""An API key, as requests are checked against it and as the API takes and shows it. Never with its secret. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from publisher_api.fields import Name, Time
from publisher_api.principal import Principal, Scope

MAX_OVERLAP_SECONDS = 30 * 86_400


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key that is not revoked. ``principal`` is the producer that it stands for.

    ``expires_at`` is when it stops being accepted: its own expiry, or the end of the overlap with its successor.
    """

    key_id: UUID
    principal: Principal
    expires_at: datetime | None


def _each_once(scopes: list[Scope]) -> list[Scope]:
    if len(set(scopes)) != len(scopes):
        raise ValueError("each scope may be named once")
    return scopes


ProducerName = Annotated[
    str,
    Field(
        pattern=r"^[!-~]([ -~]{0,126}[!-~])?$",
        description="The backend service that sends. Keys with the same name see each other's notifications.",
    ),
]
Scopes = Annotated[
    list[Scope],
    Field(min_length=1, max_length=len(Scope), json_schema_extra={"uniqueItems": True}),
    AfterValidator(_each_once),
]


class KeyFields(BaseModel):
    """What a new key stands for."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"producer": "shop", "scopes": ["send", "read"]}]}
    )

    producer: ProducerName
    scopes: Scopes = Field(description=" ".join(f"`{scope}`: {scope.description}" for scope in Scope))
    tenant: Name | None = Field(
        default=None, description="Every notification of this key belongs to this tenant, and it sees only those."
    )
    expires_at: Time | None = Field(default=None, description="When the key ends; default: never.")


class RotateFields(BaseModel):
    """How long the old secret stays valid."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"overlap_seconds": 3600}]})

    overlap_seconds: Annotated[int, Field(ge=0, le=MAX_OVERLAP_SECONDS, strict=True)] = 86_400


class KeyView(BaseModel):
    """A key without its secret."""

    key_id: UUID
    prefix: str | None = Field(description="How its secret begins; null for a key of an older release.")
    producer: str
    scopes: list[str]
    tenant: str | None
    status: Literal["active", "expired", "revoked"]
    created_at: datetime
    expires_at: datetime | None
    overlap_ends_at: datetime | None = Field(
        description="Another key replaces this one, which is accepted until then at most; null: it was not rotated."
    )
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute; null: never, or not for as long as it was noted.")


class CreatedKey(KeyView):
    """A new key. `key` is its secret, which is shown this once."""

    key: str


class KeyPage(BaseModel):
    """Keys, the newest first. `next` is the `before` of the page that follows; null on the last page."""

    api_keys: list[KeyView]
    next: UUID | None
