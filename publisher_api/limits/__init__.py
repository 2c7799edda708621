"""Limits: how many notifications a producer sends and a user gets, and how fast a channel sends."""
