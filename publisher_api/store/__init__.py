"""Postgres: one module a group of tables, each statement beside the function that runs it."""
