"""Google's API errors in our vocabulary."""

from collections.abc import Iterator
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager

from google.api_core.exceptions import Forbidden, GoogleAPICallError, RetryError, Unauthorized
from google.auth.exceptions import GoogleAuthError

from shared.errors import CredentialsRefused, Retryable


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
