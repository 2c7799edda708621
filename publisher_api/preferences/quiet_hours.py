"""Quiet hours, as planning knows them and as the API takes them."""

from datetime import date
from typing import Annotated, Literal, Self

import msgspec
from pydantic import BaseModel, ConfigDict, Field, model_validator

from publisher_api.fields import Timezone

Day = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
DAYS: tuple[Day, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MAX_WINDOWS = 20
_MINUTES_OF_DAY = 24 * 60
_MINUTES_OF_WEEK = 7 * _MINUTES_OF_DAY
_MIN_FREE_MINUTES = 60


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """From ``start`` to ``end`` by the local clock, like ``22:00``. Without a later ``end``, it goes over midnight."""

    start: str
    end: str
    days: tuple[Day, ...] = DAYS

    @property
    def over_midnight(self) -> bool:
        return self.end <= self.start

    def begins_on(self, day: date) -> bool:
        return DAYS[day.weekday()] in self.days


class QuietHours(msgspec.Struct, frozen=True, kw_only=True):
    """``timezone``: None is the user's."""

    windows: tuple[Window, ...] = ()
    timezone: str | None = None


_Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["22:00"])]


class WindowFields(BaseModel):
    """A window of every week. It belongs to the days on which it begins, and may go over midnight."""

    model_config = ConfigDict(extra="forbid")

    start: _Clock = Field(description="By the local clock.")
    end: _Clock = Field(description="Not later than `start`: on the next day.")
    days: Annotated[list[Day], Field(min_length=1, max_length=7)] = Field(
        default_factory=lambda: list(DAYS), description="On which it begins. Default: all."
    )

    @property
    def minutes(self) -> set[int]:
        """The minutes of the week that it holds, from Monday on."""
        start, end = (int(clock[:2]) * 60 + int(clock[3:]) for clock in (self.start, self.end))
        length = (end - start) % _MINUTES_OF_DAY or _MINUTES_OF_DAY
        begins = [DAYS.index(day) * _MINUTES_OF_DAY + start for day in self.days]
        return {(minute + each) % _MINUTES_OF_WEEK for minute in begins for each in range(length)}


class QuietHoursFields(BaseModel):
    """When not to disturb. What is due then waits for the end of the window; it is not dropped."""

    model_config = ConfigDict(extra="forbid")

    windows: Annotated[list[WindowFields], Field(max_length=_MAX_WINDOWS)] = Field(
        default_factory=list, description="None: at any time, whatever a less specific document says."
    )
    timezone: Timezone | None = Field(default=None, description="Default: the user's, or UTC.")

    @model_validator(mode="after")
    def _leave_some_time(self) -> Self:
        if len(set().union(*(window.minutes for window in self.windows))) > _MINUTES_OF_WEEK - _MIN_FREE_MINUTES:
            raise ValueError("the windows leave less than an hour of the week free: mute the channel instead")
        return self
