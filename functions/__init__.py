"""The workers on Google Cloud, one HTTP function a channel, over a small shared runtime."""
