"""Postgres: the connection pool, the cached configuration, and the migrations. Each feature has its own ``store``."""
