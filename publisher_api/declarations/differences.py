"""What would change, as lines for a reader. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec


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
        before, after = _flat(self.before or {}), _flat(self.after)
        shown = _flat(self.shown) if self.shown is not None else before
        for path in sorted(before.keys() | after.keys()):
            if path not in before:
                yield f"    + {path}: {after[path]}"
            elif path not in after:
                yield f"    - {path}: {shown[path]}"
            elif before[path] != after[path]:
                yield f"    ~ {path}: {shown[path]} -> {after[path]}"


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Each value that is no object, as JSON, by its path."""
    flat: dict[str, str] = {}
    for name, each in value.items():
        if isinstance(each, Mapping) and each:
            flat |= _flat(each, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = msgspec.json.encode(each).decode()
    return flat
