"""Lets Firebase's SDK call the sandbox. The SDK has no setting for it, so this changes the SDK."""

import os


def use_sandbox() -> None:
    """With FCM_URL (``http://host:port``), Firebase's SDK calls that URL instead of Google."""
    if url := os.environ.get("FCM_URL"):
        from firebase_admin import messaging  # noqa: PLC0415 - takes 0.4 s, which only the push function needs

        messaging._MessagingService.FCM_URL = f"{url}/v1/projects/{{0}}/messages:send"  # noqa: SLF001 - the SDK has no public setting
