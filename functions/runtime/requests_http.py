"""How adapters use ``requests``, on its own or in a provider's SDK."""

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import MaxRetryError, NewConnectionError

# As many as any channel type has messages in work on one machine. ``requests`` keeps ten, and opens a new connection,
# with its TLS handshake, for each request above.
_CONNECTIONS = 32


def keep_connections(session: requests.Session, *, prefixes: tuple[str, ...] = ("https://", "http://")) -> None:
    """Keep a connection for each thread. No request is sent a second time."""
    for prefix in prefixes:
        session.mount(prefix, HTTPAdapter(pool_maxsize=_CONNECTIONS, max_retries=0))


def session_with(api_key: str) -> requests.Session:
    """A session that sends ``api_key`` as a bearer token, and keeps its connections."""
    session = requests.Session()
    session.headers["User-Agent"] = "Heliograph"
    session.auth = _BearerToken(api_key)
    keep_connections(session)
    return session


def never_connected(error: BaseException | None) -> bool:
    """Whether the request certainly never left: connection refused, host not resolved, or timeout while connecting."""
    if isinstance(error, requests.ConnectTimeout):
        return True
    if not isinstance(error, requests.ConnectionError):
        return False
    cause = error.args[0] if error.args else None
    return isinstance(cause, MaxRetryError) and isinstance(cause.reason, NewConnectionError)


class _BearerToken(requests.auth.AuthBase):
    """As authentication and not as a header: a ``.netrc`` file of the machine would replace the header."""

    def __init__(self, token: str) -> None:
        self._header = f"Bearer {token}"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._header
        return request
