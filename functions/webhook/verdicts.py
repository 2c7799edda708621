"""What the status of a webhook's receiver means for a delivery."""

from collections.abc import Mapping

from functions.runtime.statuses import HTTP, Reject, Retry, Verdict, verdict_of_http
from shared.reasons import Reason

STATUSES: Mapping[int, Verdict] = {
    **HTTP,
    401: Reject(Reason.REFUSED),
    403: Reject(Reason.REFUSED),
    **dict.fromkeys((404, 405, 409, 421, 423), Retry(Reason.NOT_ACCEPTED_NOW)),  # as while a receiver is deployed
    410: Reject(Reason.GONE),
    **dict.fromkeys((301, 302, 303, 307, 308), Reject(Reason.REDIRECTED)),
}


def verdict_of(status: int) -> Verdict:
    """The verdict on a status that is not 2xx."""
    return verdict_of_http(status, STATUSES)
