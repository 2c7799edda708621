"""One user's inbox in memory, which a test changes and the scripted publisher serves."""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

RESUMED = 200
WINDOW = 20

Entry = dict[str, Any]


@dataclass
class ScriptedInbox:
    """One user's inbox. A test changes it from outside, and every connected stream reports the change."""

    url: str
    entries: dict[str, Entry] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    version: int = 0
    accepted: str | None = "token-1"
    issued: str = "token-1"
    failing: bool = False
    resumed_after: list[str | None] = field(default_factory=list)
    streams: int = 0
    changed: threading.Condition = field(default_factory=threading.Condition)

    def deliver(self, *titles: str, **fields: Any) -> list[str]:
        """Add one entry per title, each a second newer than the last. Returns their ids."""
        with self.changed:
            ids = [self._add(title, fields) for title in titles]
            self.changed.notify_all()
        return ids

    def end_streams(self) -> None:
        """Cut every connection that streams, as a proxy does."""
        with self.changed:
            self.streams += 1
            self.changed.notify_all()

    def fail(self, failing: bool) -> None:  # noqa: FBT001 - a switch
        """Answer every request with 503, and cut the streams."""
        self.failing = failing
        self.end_streams()

    def renew_token(self, token: str | None) -> None:
        """Accept only ``token`` from now on. None: accept no token."""
        self.accepted = token
        self.issued = token or self.issued
        self.end_streams()

    def end(self) -> None:
        """End every stream, also those that begin now."""
        self.failing = True
        self.end_streams()

    def wait_for_change(self, known: int | None, stream: int, seconds: float) -> bool:
        """Wait until the version is not ``known``, or for ``seconds``. Returns whether ``stream`` goes on."""
        with self.changed:
            self.changed.wait_for(lambda: self.version != known or self.streams != stream, seconds)
            return self.streams == stream

    def mark(self, name: str, ids: list[str]) -> int:
        now = datetime.now(UTC).isoformat()
        with self.changed:
            marked = [id_ for id_ in ids if id_ in self.entries and self.entries[id_][name] is None]
            for id_ in marked:
                self.version += 1
                self.versions[id_] = self.version
                self.entries[id_][name] = now
                self.entries[id_]["seen_at"] = self.entries[id_]["seen_at"] or now
            self.changed.notify_all()
        return len(marked)

    def newest(self, tab: str = "all") -> list[Entry]:
        kept = [entry for entry in self.entries.values() if _in_tab(entry, tab)]
        return sorted(kept, key=order, reverse=True)

    def counts(self) -> dict[str, int]:
        unread = self.newest("unread")
        return {"unread": len(unread), "unseen": sum(entry["seen_at"] is None for entry in unread)}

    def since(self, version: int | None) -> tuple[str, list[Entry]]:
        """The event for a client that knows ``version``."""
        if version is not None:
            ids = [id_ for id_, changed in self.versions.items() if changed > version]
            if len(ids) <= RESUMED:
                return "changes", [self.entries[id_] for id_ in ids]
        return "snapshot", self.newest()[:WINDOW]

    def _add(self, title: str, fields: Entry) -> str:
        self.version += 1
        id_ = f"n{self.version:05}"
        at = (datetime.now(UTC) - timedelta(days=1) + timedelta(seconds=self.version)).isoformat()
        times = {"created_at": at, "delivered_at": at, "seen_at": None, "read_at": None, "archived_at": None}
        names = {
            "notification_id": id_,
            "delivery_id": f"d{id_}",
            "event_type": "test",
            "title": title,
            "body": "",
            "url": None,
        }
        self.entries[id_] = {**names, "data": {}, "actor_user_id": None, "priority": 5, **times, **fields}
        self.versions[id_] = self.version
        return id_


def _in_tab(entry: Entry, tab: str) -> bool:
    archived = entry["archived_at"] is not None
    if tab == "archived":
        return archived
    return not archived and (tab == "all" or entry["read_at"] is None)


def order(entry: Entry) -> tuple[str, str]:
    return entry["delivered_at"], entry["notification_id"]
