"""Channels: channel types under slugs of their own, each with its configuration and its switch."""
