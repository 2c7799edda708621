import pytest
from google.api_core.exceptions import (
    AlreadyExists,
    DeadlineExceeded,
    PermissionDenied,
    RetryError,
    ServiceUnavailable,
    Unauthenticated,
)
from google.auth.exceptions import DefaultCredentialsError, RefreshError, TransportError

from functions.google.calls import google_errors
from shared.errors import CredentialsRefused, DeliveryError, Retryable
from shared.reasons import Reason

REFUSED = CredentialsRefused(Reason.LEDGER_REFUSED)
UNAVAILABLE = Retryable(Reason.LEDGER_UNAVAILABLE)


@pytest.mark.parametrize(
    ("error_type", "ours"),
    [
        (PermissionDenied, REFUSED),
        (Unauthenticated, REFUSED),
        (DefaultCredentialsError, REFUSED),
        (RefreshError, REFUSED),
        (TransportError, UNAVAILABLE),
        (ServiceUnavailable, UNAVAILABLE),
        (DeadlineExceeded, UNAVAILABLE),
        (RetryError, UNAVAILABLE),
        (AlreadyExists, UNAVAILABLE),
        (TimeoutError, UNAVAILABLE),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)
def test_errors_of_googles_clients_become_ours(error_type: type[Exception], ours: DeliveryError) -> None:
    arguments = ("no", None) if error_type is RetryError else ("no",)
    with (
        pytest.raises(type(ours)) as caught,
        google_errors(refused=Reason.LEDGER_REFUSED, unavailable=Reason.LEDGER_UNAVAILABLE),
    ):
        raise error_type(*arguments)
    assert (caught.value.reason, caught.value.detail) == (ours.reason, error_type.__name__)


def test_a_temporary_failure_of_the_token_server_is_no_refusal() -> None:
    with pytest.raises(Retryable), google_errors(refused=Reason.LEDGER_REFUSED, unavailable=Reason.LEDGER_UNAVAILABLE):
        raise RefreshError("later", retryable=True)  # type: ignore[no-untyped-call]  # published without types


def test_bugs_are_not_turned_into_delivery_errors() -> None:
    with (
        pytest.raises(ZeroDivisionError),
        google_errors(refused=Reason.LEDGER_REFUSED, unavailable=Reason.LEDGER_UNAVAILABLE),
    ):
        raise ZeroDivisionError
