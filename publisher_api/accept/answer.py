"""The JSON of an accepted request. It is made before the commit, because an Idempotency-Key stores it."""

from collections.abc import Sequence
from typing import Any

from publisher_api.accept.model import Accepted, AcceptRequest, AcceptResult, ItemResult
from publisher_api.accept.submission import Decision, Prepared
from publisher_api.limits.model import LimitReached
from publisher_api.refusal import Refusal, RefusalCode
from publisher_api.web.problem import problem_body


def answer_to(decision: Decision, request: AcceptRequest, prepared: Sequence[Prepared]) -> AcceptResult | Refusal:
    """Decide a request, and let its Idempotency-Key lead to the answer.

    A batch has an entry for each item, and is refused with these entries when every item was refused.
    """
    results = decision.decide(request, prepared)
    if not isinstance(results, list):
        return results
    made = _batch(results) if request.batch else _single(results[0])
    if isinstance(made, AcceptResult):
        decision.remember(request, made)
    return made


def _single(result: ItemResult) -> AcceptResult | Refusal:
    return result if isinstance(result, Refusal) else AcceptResult(_body_of(result))


def _body_of(result: Accepted) -> dict[str, Any]:
    if result.duplicate:
        return {"notification_id": result.notification_id, "status": "queued", "duplicate": True}
    return {"notification_id": result.notification_id, "status": "queued"}


def _batch(results: Sequence[ItemResult]) -> AcceptResult | Refusal:
    accepted = sum(isinstance(result, Accepted) for result in results)
    body = {
        "accepted": accepted,
        "rejected": len(results) - accepted,
        "results": [
            {"index": index, "status": "rejected", "problem": problem_body(result)}
            if isinstance(result, Refusal)
            else {"index": index, **_body_of(result)}
            for index, result in enumerate(results)
        ],
    }
    if accepted:
        return AcceptResult(body)
    reached = [result for result in results if isinstance(result, LimitReached)]
    if reached:
        return _reached(reached, body)
    detail = f"None of the {len(results)} notifications was accepted. `results` gives the reason for each."
    return Refusal(RefusalCode.NOTHING_ACCEPTED, detail, members=body)


def _reached(reached: Sequence[LimitReached], body: dict[str, Any]) -> LimitReached:
    """The refusal of a batch that may be accepted later, at least in part."""
    detail = (
        f"None of the {len(body['results'])} notifications was accepted, {len(reached)} of them because of the limit of"
        " the producer. `results` gives the reason for each."
    )
    last = reached[-1]
    return LimitReached(last.code, detail, quota=last.quota, retry_after_seconds=last.retry_after_seconds, members=body)
