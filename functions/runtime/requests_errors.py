"""What an error of ``requests`` says about whether the request reached the provider."""

import requests
from urllib3.exceptions import MaxRetryError, NewConnectionError


def never_connected(error: BaseException | None) -> bool:
    """Whether the request certainly never left: connection refused, host not resolved, or timeout while connecting."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    if not isinstance(error, requests.ConnectionError):
        return False
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)
