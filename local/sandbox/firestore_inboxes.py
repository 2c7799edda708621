"""Hears what arrives in the inboxes of Firestore."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from google.cloud.firestore import Client, Query
from google.cloud.firestore_v1.base_query import FieldFilter

_LISTENED_DOCUMENTS = 1_000


def listen(add: Callable[[str, Mapping[str, Any]], None], since: datetime) -> None:
    """Call ``add`` with the user id and the fields of each entry that was delivered after ``since``."""

    def changed(_documents: object, changes: list[Any], _read_time: object) -> None:
        added = [change.document for change in changes if change.type.name == "ADDED"]
        for document in sorted(added, key=lambda each: each.get("delivered_at")):
            add(document.reference.parent.parent.id, document.to_dict())

    inboxes = Client().collection_group("inbox").where(filter=FieldFilter("delivered_at", ">=", since))
    inboxes.order_by("delivered_at", direction=Query.DESCENDING).limit(_LISTENED_DOCUMENTS).on_snapshot(changed)
