"""Retention: how long notifications are kept, and deleting those whose time is over."""
