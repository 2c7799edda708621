"""What a provider's code means for a delivery, as values. An adapter is mostly a table of these."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn

from functions.runtime.provider import Rejected
from shared.errors import CredentialsRefused, Retryable
from shared.reasons import Reason

_DETAIL_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Reject:
    """Refused permanently. ``suppress``: because the user opted out."""

    reason: Reason
    suppress: bool = False


@dataclass(frozen=True, slots=True)
class Retry:
    """A later attempt may succeed. ``ambiguous``: the provider may have accepted this one."""

    reason: Reason
    ambiguous: bool = False


@dataclass(frozen=True, slots=True)
class Alert:
    """Our credentials, account, sender or configuration are wrong, so every delivery fails in the same way."""

    reason: Reason


Verdict = Reject | Retry | Alert

HTTP: Mapping[int, Verdict] = {
    401: Alert(Reason.CREDENTIALS_REFUSED),
    403: Alert(Reason.CREDENTIALS_REFUSED),
    408: Retry(Reason.TIMEOUT),
    425: Retry(Reason.TOO_EARLY),
    429: Retry(Reason.RATE_LIMITED),
    503: Retry(Reason.PROVIDER_ERROR),
    504: Retry(Reason.TIMEOUT, ambiguous=True),
}
"""What a status means in most HTTP APIs. An adapter extends it with its own table: ``{**HTTP, ...}``.

503 is how SendGrid, Twilio, Firebase and HTTP itself say that a request was not taken. Every other 5xx may come from a
part behind the one that took it (``docs/decisions/0021``).
"""


def verdict_of_http(status: int, table: Mapping[int, Verdict] = HTTP) -> Verdict:
    """The verdict on an HTTP status: the entry of ``table``; else 5xx is ambiguous and everything else is refused."""
    if status in table:
        return table[status]
    failed = status >= 500  # noqa: PLR2004 - HTTP's own limit
    return Retry(Reason.PROVIDER_ERROR, ambiguous=True) if failed else Reject(Reason.REFUSED)


def outcome_for(verdict: Verdict, *, provider: str, detail: str = "", hide: str = "") -> Rejected:
    """Return the refusal, or raise the error, that ``verdict`` stands for.

    ``detail`` is the provider's own text; ``hide`` (the recipient) is removed from it.
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
    """Raise ``Retryable`` for a provider that did not answer.

    ``ambiguous`` is False only if the request certainly did not reach the provider.
    """
    reason = Reason.TIMEOUT if ambiguous else Reason.UNREACHABLE
    raise Retryable(reason, type(error).__name__, provider=provider, ambiguous=ambiguous) from error
