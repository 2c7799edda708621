"""The outbox: rows that are committed and not yet published. The relay publishes new rows, the sweeper the rest."""
