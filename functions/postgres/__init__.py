"""The functions' ports outside of Google Cloud: ledger, channel switches and inboxes in Postgres."""
