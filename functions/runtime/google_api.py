"""How Google's APIs are called: with patience that fits a function, and their errors in our vocabulary."""

from collections.abc import Iterator, Mapping
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from typing import Any

from google.api_core.exceptions import Forbidden, GoogleAPICallError, RetryError, Unauthorized
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError

from shared.errors import CredentialsRefused, Retryable

PATIENCE_SECONDS = 5.0
CALL: Mapping[str, Any] = {
    "timeout": PATIENCE_SECONDS,
    "retry": Retry(initial=0.1, maximum=1.0, timeout=PATIENCE_SECONDS),
}
"""The options of every call. The clients' own would go on for a minute, which is all the time that a function has."""


@contextmanager
def delivery_errors(service: str) -> Iterator[None]:
    """Raise what Google's client raises as ``Retryable`` or ``CredentialsRefused``, naming our ``service``.

    Exceptions that are answers (``AlreadyExists``, ``FailedPrecondition``) must be caught inside.
    """
    try:
        yield
    except (Unauthorized, Forbidden, GoogleAuthError) as error:
        raise CredentialsRefused(f"{service}_refused", type(error).__name__) from error
    except (GoogleAPICallError, RetryError, FutureTimeoutError) as error:
        raise Retryable(f"{service}_unavailable", type(error).__name__) from error
