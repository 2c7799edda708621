"""A finding: the result of one check, printed as one line, with the command that fixes it if it failed."""

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """The result of a check. The value is the sign that is printed before the finding."""

    OK = "✓"
    FAILED = "✗"
    SKIPPED = "–"  # noqa: RUF001 - a dash that is as wide as the other signs


@dataclass(frozen=True, slots=True)
class Finding:
    """``text`` names what was examined and its state. ``fix`` is a shell command; only failed checks have one."""

    verdict: Verdict
    text: str
    fix: str | None = None

    def __str__(self) -> str:
        line = f"{self.verdict.value} {self.text}"
        return line if self.fix is None else f"{line}\n    fix: {self.fix}"


def ok(text: str) -> Finding:
    return Finding(Verdict.OK, text)


def failed(text: str, fix: str) -> Finding:
    return Finding(Verdict.FAILED, text, fix)


def skipped(text: str) -> Finding:
    return Finding(Verdict.SKIPPED, text)
