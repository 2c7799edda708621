"""Preferences: what a user wants to hear of, and on which channels."""
