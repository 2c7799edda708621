"""The sender of an SMS, where the publisher checks it and the function reads it."""

import re

MESSAGING_SERVICE = "MG[0-9a-fA-F]{32}"
"""The pattern of the id of a Twilio Messaging Service. Any other sender is a number, a short code or a name."""
_MESSAGING_SERVICE = re.compile(MESSAGING_SERVICE)


def is_messaging_service(sender: str) -> bool:
    """Whether ``sender`` is the id of a Messaging Service."""
    return _MESSAGING_SERVICE.fullmatch(sender) is not None
