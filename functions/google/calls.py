"""How Google's APIs are called: with a deadline that fits a function, and with their errors turned into ours."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.api_core.retry import Retry
from google.auth.exceptions import GoogleAuthError

from shared.errors import CredentialsRefused, Retryable
from shared.reasons import Reason
from transport.pubsub import refuses_credentials

TIMEOUT_SECONDS = 5.0
RETRY = Retry(initial=0.1, maximum=1.0, timeout=TIMEOUT_SECONDS)
CALL: Mapping[str, Any] = {"timeout": TIMEOUT_SECONDS, "retry": RETRY}
"""The options of every call. The clients' defaults retry for a minute, which is all the time that a function has."""
LONGEST_CALL_SECONDS = 2 * TIMEOUT_SECONDS
"""A retry that starts just before the deadline may get the whole timeout again."""


@contextmanager
def google_errors(*, refused: Reason, unavailable: Reason) -> Iterator[None]:
    """Turn the errors of Google's clients into ``CredentialsRefused(refused)`` and ``Retryable(unavailable)``.

    Exceptions that are answers (``AlreadyExists``, ``FailedPrecondition``) must be caught inside.
    """
    try:
        yield
    except (GoogleAPICallError, GoogleAuthError, RetryError, TimeoutError) as error:
        if refuses_credentials(error):
            raise CredentialsRefused(refused, type(error).__name__) from error
        raise Retryable(unavailable, type(error).__name__) from error
