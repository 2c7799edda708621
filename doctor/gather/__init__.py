"""Asks the parts of a deployment, and gives facts. Nothing asked here changes anything."""
