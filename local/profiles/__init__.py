"""The services that only one profile needs."""
