"""What the doctor says: one line a thing examined, and below a fault the command that mends it."""

from dataclasses import dataclass
from enum import Enum


class Verdict(Enum):
    """Each verdict is the sign it is printed with."""

    FINE = "✓"
    WRONG = "✗"
    NOT_EXAMINED = "–"  # noqa: RUF001 - a dash that is as wide as the other signs


@dataclass(frozen=True, slots=True)
class Finding:
    """``text`` names the thing and says how it is; ``mend`` is one command, there for every fault and for no other."""

    verdict: Verdict
    text: str
    mend: str | None = None

    def __str__(self) -> str:
        line = f"{self.verdict.value} {self.text}"
        return line if self.mend is None else f"{line}\n    mend: {self.mend}"


def fine(text: str) -> Finding:
    return Finding(Verdict.FINE, text)


def wrong(text: str, mend: str) -> Finding:
    return Finding(Verdict.WRONG, text, mend)


def not_examined(text: str) -> Finding:
    return Finding(Verdict.NOT_EXAMINED, text)
