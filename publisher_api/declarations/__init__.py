"""Channels, templates and event types as files of a folder: read, compared with what is stored, and applied."""
