"""Devices: where push notifications go."""
