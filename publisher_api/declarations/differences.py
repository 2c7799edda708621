"""What would change, as lines for a reader. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from publisher_api.flat import flat


@dataclass(frozen=True, slots=True)
class Difference:
    """What is declared at ``place`` (``templates/receipt``), and what is stored there; None if nothing is.

    ``shown`` is what may be printed of ``before``, if that is not all of it.
    """

    place: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]
    shown: Mapping[str, Any] | None = None

    @property
    def changes(self) -> bool:
        return self.before != self.after

    def lines(self) -> Iterator[str]:
        """``+`` for what is created, ``~`` for what is changed; then each value that differs, by its path."""
        yield f"{'+' if self.before is None else '~'} {self.place}"
        before, after = flat(self.before or {}), flat(self.after)
        shown = flat(self.shown) if self.shown is not None else before
        for path in sorted(before.keys() | after.keys()):
            if path not in before:
                yield f"    + {path}: {after[path]}"
            elif path not in after:
                yield f"    - {path}: {shown[path]}"
            elif before[path] != after[path]:
                yield f"    ~ {path}: {shown[path]} -> {after[path]}"
