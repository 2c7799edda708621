"""An erasure, as it is stored and as the API shows it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """A row of ``erasures``. What was accepted by ``until`` is erased. ``user_id`` is None when it is complete."""

    erasure_id: UUID
    user_id: str | None
    requested_at: datetime
    until: datetime
    settled_at: datetime
    devices: int
    notifications: int
    deliveries: int
    rows_erased_at: datetime | None
    inbox_erased_at: datetime | None
    completed_at: datetime | None


class ErasureView(BaseModel):
    """Where an erasure stands, without the user's id. `GET /v1/erasures/{erasure_id}` answers for 30 days."""

    erasure_id: UUID
    status: Literal["running", "complete"]
    waiting_for: Literal["rows", "inbox"] | None = Field(
        description="`rows`: notifications are still there, or on their way to a provider, or may be committed at this"
        " moment. `inbox`: the live inbox has not reported yet. Null when it is complete."
    )
    requested_at: datetime
    completed_at: datetime | None
    devices: int = Field(description="How many were deleted, as in the next two.")
    notifications: int
    deliveries: int


def view(erasure: Erasure) -> ErasureView:
    """The erasure as the API shows it."""
    waiting_for: Literal["rows", "inbox"] = "rows" if erasure.rows_erased_at is None else "inbox"
    complete = erasure.completed_at is not None
    return ErasureView(
        erasure_id=erasure.erasure_id,
        status="complete" if complete else "running",
        waiting_for=None if complete else waiting_for,
        requested_at=erasure.requested_at,
        completed_at=erasure.completed_at,
        devices=erasure.devices,
        notifications=erasure.notifications,
        deliveries=erasure.deliveries,
    )
