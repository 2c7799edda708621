"""Enumerations whose members explain themselves."""

from enum import StrEnum
from typing import Self


class Described(StrEnum):
    """A text value with one sentence that explains it: ``NAME = "value", "Sentence."``."""

    description: str

    def __new__(cls, value: str, description: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.description = description
        return member
