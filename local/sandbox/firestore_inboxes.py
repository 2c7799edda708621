"""Looks for what arrives in the inboxes of Firestore.

A listener would hear at once. But the emulator computes the result of every listener again at each write, and runs out
of memory when a thousand entries arrive.
"""

import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

from google.api_core.exceptions import GoogleAPICallError
from google.cloud.firestore import Client
from google.cloud.firestore_v1.base_query import FieldFilter

_LOOKS_EVERY_SECONDS = 0.5
_READ_AT_ONCE = 300
# An entry may be visible later than one that was delivered after it. What was read before is read again for so long.
_OVERLAP = timedelta(seconds=2)


def watch(add: Callable[[str, Mapping[str, Any]], None], since: datetime) -> None:
    """Call ``add`` with the user id and the fields of each entry that is delivered after ``since``, once or more.

    Runs in a thread that ends with the process.
    """
    threading.Thread(target=_look, args=(add, since), name="firestore-inboxes", daemon=True).start()


def _look(add: Callable[[str, Mapping[str, Any]], None], since: datetime) -> None:
    inboxes = Client().collection_group("inbox").order_by("delivered_at").limit(_READ_AT_ONCE)
    while True:
        read: list[datetime] = []
        with suppress(GoogleAPICallError):  # the emulator is away; the next look finds what was missed
            for document in inboxes.where(filter=FieldFilter("delivered_at", ">=", since)).stream(retry=None):
                add(document.reference.parent.parent.id, document.to_dict() or {})
                read.append(document.get("delivered_at"))
        if len(read) == _READ_AT_ONCE and read[-1] > since:
            since = read[-1]
            continue
        if read:
            since = max(since, read[-1] - _OVERLAP)
        time.sleep(_LOOKS_EVERY_SECONDS)
