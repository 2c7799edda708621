"""Reads the parts of a deployment and returns facts. Nothing here changes the deployment."""
