"""The publisher: works, sweeps, and believes only Google's pushes."""

from collections.abc import Iterator

from doctor.facts import Answer, Publisher, Unreachable
from doctor.finding import Finding, fine, wrong
from doctor.mending import Mending


def check_publisher(found: Publisher, mending: Mending) -> Iterator[Finding]:
    yield _health(found.health, mending)
    if isinstance(found.health, Unreachable):
        return
    match found.sweep:
        case Answer(status=200):
            yield fine("publisher: nothing is overdue, so the sweep runs")
        case Answer(body={"status": "neglected"}):
            yield wrong("publisher: work is long overdue, so the sweep does not run", mending.restart_publisher())
        case other:
            yield wrong(f"publisher: /health/sweep says {_said(other)}", mending.restart_publisher())
    match found.unsigned_push:
        case Answer(status=401):
            yield fine("publisher refuses a push without a token")
        case other:
            yield wrong(
                f"publisher should refuse (401) a push without a token, and says {_said(other)}", mending.restore()
            )


def _health(health: Answer | Unreachable, mending: Mending) -> Finding:
    match health:
        case Answer(status=200, body={"status": "ok"}):
            return fine("publisher is healthy")
        case Answer(status=200, body={"status": "degraded"}):
            return wrong(
                "publisher cannot reach Pub/Sub, or may not publish: it accepts, and delivers later", mending.restore()
            )
        case Answer(body={"status": "down"}):
            return wrong("publisher cannot reach Postgres, and accepts nothing", mending.restart_publisher())
        case other:
            return wrong(f"publisher does not work: /health says {_said(other)}", mending.restart_publisher())


def _said(answer: Answer | Unreachable) -> str:
    return f"nothing: {answer.reason}" if isinstance(answer, Unreachable) else f"HTTP {answer.status}"
