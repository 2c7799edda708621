"""Examines a running Heliograph, deployed or local, and prints for each fault the command that fixes it.

``gather`` reads Postgres, Pub/Sub and HTTP endpoints and returns facts, which are values. ``checks`` compares facts
with the declared state and returns findings; it does no I/O. The doctor changes nothing: it only reads, and sends
requests without a token to endpoints that must refuse them.
"""
