"""Calls Google's APIs with the credentials of this machine, and turns their errors into facts."""

from collections.abc import Callable
from typing import Any, TypeVar

import google.auth
import httpx
from google.api_core.exceptions import Forbidden as PubSubForbids
from google.api_core.exceptions import GoogleAPICallError, RetryError, Unauthorized
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import Request

from doctor.facts import Forbidden, NotLoggedIn, Unknown, Unreachable

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_NOT_FOUND = 404
_REFUSALS = (401, 403)

T = TypeVar("T")


def read_or_explain(read: Callable[[], T]) -> T | Unknown:
    """The result of ``read``, or why Google did not give it."""
    try:
        return read()
    except GoogleAuthError as error:
        return NotLoggedIn(_first_sentence(error))
    except (PubSubForbids, Unauthorized) as error:
        return Forbidden(error.message)
    except (GoogleAPICallError, RetryError) as error:
        return Unreachable(error.message)
    except httpx.HTTPStatusError as error:
        reason = f"HTTP {error.response.status_code} from {error.request.url.host}"
        return Forbidden(reason) if error.response.status_code in _REFUSALS else Unreachable(reason)
    except httpx.HTTPError as error:
        return Unreachable(str(error) or type(error).__name__)


def access_token() -> str:
    """Raises ``GoogleAuthError`` if this machine has no valid credentials."""
    credentials, _ = google.auth.default(scopes=[_SCOPE])
    credentials.refresh(Request())  # type: ignore[no-untyped-call]  # google-auth publishes no types
    return str(credentials.token)


def get_json(client: httpx.Client, url: str, token: str | None) -> dict[str, Any] | None:
    """The JSON object at ``url``, or None if the response is 404. Raises ``httpx.HTTPError``."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    response = client.get(url, headers=headers)
    if response.status_code == _NOT_FOUND:
        return None
    found: dict[str, Any] = response.raise_for_status().json()
    return found


def _first_sentence(error: Exception) -> str:
    return str(error).partition("\n")[0].partition(". ")[0]
