"""What an error of ``requests`` says about whether the other side got anything."""

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError


def never_connected(error: BaseException | None) -> bool:
    """Whether it is sure that the request never left: refused, unresolved, or timed out while connecting."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    if not isinstance(error, requests.ConnectionError):
        return False
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
