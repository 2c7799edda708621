"""What a provider's code means for a delivery, as values: an adapter is mostly a table of these."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn, TypeVar

from functions.runtime.provider import Rejected
from shared.errors import CredentialsRefused, Retryable

_DETAIL_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Reject:
    """Refused for good. ``suppress``: because the person said no."""

    reason: str
    suppress: bool = False


@dataclass(frozen=True, slots=True)
class Retry:
    """May go better later. ``ambiguous``: it may have been taken all the same."""

    reason: str
    ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class Alert:
    """Our own credentials or configuration are at fault, so every message will fail alike."""

    reason: str


Verdict = Reject | Retry | Alert
Code = TypeVar("Code")

HTTP: Mapping[int, Verdict] = {
    401: Alert("credentials_refused"),
    403: Alert("credentials_refused"),
    408: Retry("timeout"),
    425: Retry("too_early"),
    429: Retry("rate_limited"),
    504: Retry("timeout", ambiguous=True),
}
"""What most HTTP APIs mean. An adapter's own table goes over it (``{**HTTP, ...}``)."""


def verdict_of_http(status: int, table: Mapping[int, Verdict] = HTTP) -> Verdict:
    """The verdict on an HTTP status: by ``table``, else 5xx may go better later and the rest is refused."""
    if status in table:
        return table[status]
    return Retry("provider_error") if status >= 500 else Reject("refused")  # noqa: PLR2004 - HTTP's own border


def settle(verdict: Verdict, *, provider: str, detail: str = "", hide: str = "") -> Rejected:
    """Return the refusal or raise the error that ``verdict`` stands for.

    ``detail`` is the provider's own words, from which ``hide`` (the recipient) is taken out.
    """
    detail = (detail.replace(hide, "***") if hide else detail)[:_DETAIL_CHARACTERS]
    match verdict:
        case Reject(reason, suppress):
            return Rejected(provider, reason, detail, suppress)
        case Retry(reason, ambiguous):
            raise Retryable(reason, detail, provider=provider, ambiguous=ambiguous)
        case Alert(reason):
            raise CredentialsRefused(reason, detail, provider=provider)


def unreachable(provider: str, error: Exception, *, ambiguous: bool) -> NoReturn:
    """Raise for a provider that gave no answer: ``ambiguous`` unless it is sure that it never had the request."""
    reason = "timeout" if ambiguous else "unreachable"
    raise Retryable(reason, type(error).__name__, provider=provider, ambiguous=ambiguous) from error
