"""What the API shows of deliveries."""

from pydantic import BaseModel, Field


class CancelResult(BaseModel):
    """What canceling a notification did to its deliveries. The same call again answers the same."""

    stopped: int = Field(description="Deliveries that are canceled and are never sent.")
    gone: int = Field(description="Deliveries that were on their way to the provider, or sent: too late to stop.")
