"""Notifications: what a producer may ask for, the rows, and reading them with their timeline."""
