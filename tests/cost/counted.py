"""Counts of one delivery for tests."""

from cost.model import DatabaseCounts, DeliveryCounts

ONE = DeliveryCounts(
    pushes=1,
    message_bytes=1500,
    publish_call_bytes=1600,
    function_seconds=0.2,
    provider_calls=1,
    provider_call_bytes=700,
    outcomes=1,
    outcome_bytes=400,
    outcome_call_bytes=1800,
    firestore_calls=2,
    switch_reads=0.1,
    inbox=DatabaseCounts(reads=1, writes=1, documents=1, document_bytes=500, kept_days=90),
    ledger=DatabaseCounts(reads=1, writes=2, documents=1, document_bytes=900, kept_days=14),
    log_bytes=400,
    postgres_bytes=550,
)
