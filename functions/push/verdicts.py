"""What Firebase's errors mean for a delivery."""

import re
from collections.abc import Mapping

from firebase_admin import exceptions, messaging

from functions.runtime.statuses import Alert, Reject, Retry, Verdict
from shared.reasons import Reason

ERRORS: Mapping[type[exceptions.FirebaseError], Verdict] = {
    messaging.UnregisteredError: Reject(Reason.UNREGISTERED),
    messaging.SenderIdMismatchError: Reject(Reason.SENDER_MISMATCH),
    messaging.QuotaExceededError: Retry(Reason.RATE_LIMITED),
    messaging.ThirdPartyAuthError: Alert(Reason.CREDENTIALS_REFUSED),
    exceptions.InvalidArgumentError: Reject(Reason.INVALID_ARGUMENT),
    exceptions.NotFoundError: Alert(Reason.SENDER_REFUSED),  # the project; a device has the detail UNREGISTERED
    exceptions.UnauthenticatedError: Alert(Reason.CREDENTIALS_REFUSED),
    exceptions.PermissionDeniedError: Alert(Reason.CREDENTIALS_REFUSED),
    exceptions.ResourceExhaustedError: Retry(Reason.RATE_LIMITED),
    exceptions.UnavailableError: Retry(Reason.PROVIDER_ERROR),  # 503: Firebase is overloaded and took nothing
}
_TOO_LARGE = re.compile(r"message is too (big|large)", re.IGNORECASE)  # FCM has no code for it; its text has varied


def verdict_of(error: exceptions.FirebaseError) -> Verdict:
    """The verdict on an answer of Firebase. A 5xx that is not listed may follow an accepted message."""
    if isinstance(error, exceptions.InvalidArgumentError) and _TOO_LARGE.search(str(error)):
        return Reject(Reason.TOO_LARGE)
    failed_there = error.http_response.status_code >= 500  # noqa: PLR2004 - HTTP's own limit
    return ERRORS.get(type(error)) or Retry(Reason.PROVIDER_ERROR, ambiguous=failed_there)
