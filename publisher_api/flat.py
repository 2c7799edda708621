"""A JSON object as one level of paths and values. Pure."""

from collections.abc import Mapping
from typing import Any

import msgspec


def flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Each value that is no object, as JSON, by its path."""
    found: dict[str, str] = {}
    for name, each in value.items():
        if isinstance(each, Mapping) and each:
            found |= flat(each, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = msgspec.json.encode(each).decode()
    return found
