"""A store that cannot be reached is retryable, with the reason of its port, in each profile."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from google.cloud.firestore import Client

from functions.google.inbox import FirestoreInbox
from functions.google.ledger import FirestoreLedger
from functions.google.switches import FirestoreSwitchStore
from functions.postgres.inbox import PostgresInbox
from functions.postgres.ledger import LedgerTable, PostgresLedger
from functions.postgres.switches import PostgresSwitchStore
from postgres.pool import Pool, make_pool
from shared.errors import Retryable
from shared.reasons import Reason
from tests.contract.inboxes import ENTRY
from tests.factories import NOON

LEASE = timedelta(seconds=90)
FIRESTORE: Mapping[Reason, Callable[[Client], object]] = {
    Reason.LEDGER_UNAVAILABLE: lambda client: FirestoreLedger(client, LEASE).claim("d.1", NOON),
    Reason.INBOX_UNAVAILABLE: lambda client: FirestoreInbox(client).put("ada", ENTRY),
    Reason.SWITCHES_UNAVAILABLE: lambda client: FirestoreSwitchStore(client).read(),
}
POSTGRES: Mapping[Reason, Callable[[Pool], object]] = {
    Reason.LEDGER_UNAVAILABLE: lambda pool: PostgresLedger(LedgerTable(pool), LEASE).claim("d.1", NOON),
    Reason.INBOX_UNAVAILABLE: lambda pool: PostgresInbox(pool).put("ada", ENTRY),
    Reason.SWITCHES_UNAVAILABLE: lambda pool: PostgresSwitchStore(pool).read(),
}


@pytest.mark.parametrize("reason", FIRESTORE)
def test_unavailable_firestore_is_retryable(monkeypatch: pytest.MonkeyPatch, nowhere: str, reason: Reason) -> None:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", nowhere)
    with pytest.raises(Retryable, match=r"ServiceUnavailable|RetryError|DeadlineExceeded") as caught:
        FIRESTORE[reason](Client(project="p"))
    assert caught.value.reason == reason


@pytest.mark.parametrize("reason", POSTGRES)
def test_unavailable_postgres_is_retryable(tmp_path: Path, reason: Reason) -> None:
    with make_pool(f"postgresql://none@/none?host={tmp_path}", 1) as pool, pytest.raises(Retryable) as caught:
        POSTGRES[reason](pool)
    assert caught.value.reason == reason
