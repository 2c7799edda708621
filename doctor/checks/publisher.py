"""Checks that the publisher is healthy, that its sweeper runs, and that it refuses pushes without a token."""

from collections.abc import Iterator

from doctor.facts import Publisher, Response, Unreachable
from doctor.finding import Finding, failed, ok
from doctor.remedies import Fault, Remedies


def check_publisher(found: Publisher, remedies: Remedies) -> Iterator[Finding]:
    yield _check_health(found.health, remedies)
    if isinstance(found.health, Unreachable):
        return
    restart = remedies[Fault.PUBLISHER_FAILS]
    match found.sweep:
        case Response(status=200):
            yield ok("publisher: no work is overdue, so the sweeper runs")
        case Response(body={"status": "overdue"}):
            yield failed("publisher: work is long overdue, so the sweeper does not run", restart)
        case other:
            yield failed(f"publisher: /health/sweep gave {_describe(other)}", restart)
    match found.unsigned_push:
        case Response(status=401):
            yield ok("publisher refuses a push without a token")
        case other:
            yield failed(
                f"publisher must refuse a push without a token (HTTP 401), and gave {_describe(other)}",
                remedies[Fault.MISSING],
            )


def _check_health(health: Response | Unreachable, remedies: Remedies) -> Finding:
    restart = remedies[Fault.PUBLISHER_FAILS]
    match health:
        case Response(status=200, body={"status": "ok"}):
            return ok("publisher is healthy")
        case Response(status=200, body={"status": "degraded"}):
            return failed(
                "publisher cannot publish to Pub/Sub (unreachable, or no permission): it accepts notifications, and"
                " publishes them later",
                remedies[Fault.MISSING],
            )
        case Response(body={"status": "down"}):
            return failed("publisher cannot reach Postgres, and accepts no notifications", restart)
        case other:
            return failed(f"publisher does not work: /health gave {_describe(other)}", restart)


def _describe(response: Response | Unreachable) -> str:
    if isinstance(response, Unreachable):
        return f"no response: {response.reason}"
    return f"HTTP {response.status}"
