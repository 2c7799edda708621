"""The channel switches in Firestore's document ``config/channels``."""

from contextlib import AbstractContextManager

from google.api_core.exceptions import AlreadyExists, FailedPrecondition
from google.cloud.firestore import Client, DocumentReference

from functions.google.calls import CALL, google_errors
from functions.runtime.switches import SwitchTable
from shared.errors import Retryable
from shared.reasons import Reason

_PATH = ("config", "channels")


class FirestoreSwitchStore:
    """The table of channel switches, in one document."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def read(self) -> SwitchTable:
        with _errors():
            fields = self._document().get(**CALL).to_dict()
        return SwitchTable(fields["version"], fields["channels"]) if fields else SwitchTable()

    def write(self, table: SwitchTable) -> None:
        """Store ``table`` unless the stored one has the same or a newer version: Pub/Sub keeps no order."""
        document = self._document()
        fields = {"version": table.version, "channels": dict(table.channels)}
        with _errors():
            try:
                document.create(fields, **CALL)
            except AlreadyExists:
                found = document.get(**CALL)
                if found.get("version") >= table.version:
                    return
                unchanged = self._client.write_option(last_update_time=found.update_time)
                try:
                    # Replaces whole fields: a merge would keep deleted channels and read a dot in a name as a path.
                    document.update(fields, option=unchanged, **CALL)
                except FailedPrecondition as error:
                    raise Retryable(Reason.CONTENDED, "Another table was written at the same time.") from error

    def _document(self) -> DocumentReference:
        return self._client.collection(_PATH[0]).document(_PATH[1])


def _errors() -> AbstractContextManager[None]:
    return google_errors(refused=Reason.SWITCHES_REFUSED, unavailable=Reason.SWITCHES_UNAVAILABLE)
