"""Channels, templates, event types and limits as files of a folder: read, compared with what is stored, and applied."""
