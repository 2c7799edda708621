"""An entry of the audit log, as the API shows it, and what a change was. Pure."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from pydantic import BaseModel, Field

from publisher_api.flat import flat

MAX_VALUE = 200
MAX_PATHS = 100
Change = dict[str, str | None]


class AuditEntry(BaseModel):
    """One administrative change. It was committed together with this entry."""

    entry_id: int
    at: datetime
    principal: str = Field(description="The producer whose credential was used; `command` for one on the command line.")
    credential: str = Field(description="How its API key begins, `jwt`, or the name of the command.")
    action: str = Field(description="Like `channel.put`.")
    object: str = Field(description="What was changed, like `channels/chat`.")
    changes: dict[str, Change] = Field(
        description=f"By path the values `before` and `after`, as JSON of at most {MAX_VALUE} characters; null: there"
        f" was none. Of a larger change, the first {MAX_PATHS} paths."
    )


class AuditPage(BaseModel):
    """Entries, the newest first. `next` is the `before` of the page that follows; null on the last page."""

    entries: list[AuditEntry]
    next: int | None


def changes_between(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> dict[str, Change]:
    """What differs, by path, of two JSON objects: the first 100 paths, and 200 characters of each value."""
    return dict(islice(_differing(flat(before or {}), flat(after or {})), MAX_PATHS))


def _differing(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[tuple[str, Change]]:
    for path in sorted(old.keys() | new.keys()):
        if old.get(path) != new.get(path):
            yield _short(path), {"before": _shortened(old.get(path)), "after": _shortened(new.get(path))}


def _shortened(value: str | None) -> str | None:
    return None if value is None else _short(value)


def _short(text: str) -> str:
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 1]}…"
