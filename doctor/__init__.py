"""Examines a running Heliograph, in the clouds or on one machine, and says for each fault the command that mends it.

``gather`` asks (Postgres, Pub/Sub, HTTP) and gives facts, which are values; ``checks`` compares facts with what is
declared and gives findings, and touches nothing. Everything asked is harmless: the doctor reads, and knocks without a
token where it must be turned away.
"""
