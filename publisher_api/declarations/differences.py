"""What would change, as lines for a reader. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Difference:
    """What is declared at ``place`` (``templates/receipt``), and what is stored there; None if nothing is."""

    place: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]

    @property
    def changes(self) -> bool:
        return self.before != self.after

    def lines(self) -> Iterator[str]:
        """``+`` for what is created, ``~`` for what is changed; then each value that differs, by its path."""
        yield f"{'+' if self.before is None else '~'} {self.place}"
        before, after = _flat(self.before or {}), _flat(self.after)
        for path in sorted(before.keys() | after.keys()):
            if path not in before:
                yield f"    + {path}: {after[path]}"
            elif path not in after:
                yield f"    - {path}: {before[path]}"
            elif before[path] != after[path]:
                yield f"    ~ {path}: {before[path]} -> {after[path]}"


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Each value that is no object, as JSON, by its path."""
    flat: dict[str, str] = {}
    for name, each in value.items():
        if isinstance(each, Mapping) and each:
            flat |= _flat(each, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = msgspec.json.encode(each).decode()
    return flat
