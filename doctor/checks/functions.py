"""Functions: each there, and each turning strangers away.

The doctor knocks by a GET without a token. Who is not the push account must be refused before any of our code runs;
were the door open, a GET holds no message, and the function would only answer 400. From outside Google Cloud internal
ingress answers 404 for a function that is well, so there Google's own list says whether it is.
"""

from collections.abc import Iterator, Mapping

from doctor.checks.unknown import check_unknown
from doctor.facts import Answer, Deployed, Unknown, Unreachable
from doctor.finding import Finding, fine, not_examined, wrong
from doctor.mending import Mending
from doctor.settings import service_name

_REFUSED = (401, 403)
_NOT_FOUND = 404
_FAILED = 500


def check_functions(
    urls: Mapping[str, str],
    answers: Mapping[str, Answer | Unreachable],
    deployed: Mapping[str, Deployed] | Unknown | None,
    mending: Mending,
) -> Iterator[Finding]:
    """``deployed`` is Google's list by its own names, or None on one machine: there only the knock counts."""
    if deployed is None:
        for name in urls:
            yield _knock(name, answers[name], None, mending)
    elif isinstance(deployed, Mapping):
        for name, url in urls.items():
            yield _deployed(name, url, answers[name], deployed.get(service_name(name)), mending)
    else:
        yield check_unknown("the list of functions", deployed, mending)
        for name in urls:
            yield _unlisted(name, answers[name], mending)


def _deployed(
    name: str, url: str, answer: Answer | Unreachable, function: Deployed | None, mending: Mending
) -> Finding:
    if function is None:
        return wrong(f"function {name}: {service_name(name)} is not deployed", mending.restore())
    if function.state != "ACTIVE":
        return wrong(
            f"function {name} is {function.state}, not ACTIVE", mending.explain_function(name, function.region)
        )
    if function.url != url:
        return wrong(f"function {name} is at {function.url}, not at {url} as configured here", mending.configure())
    if isinstance(answer, Answer) and answer.status == _NOT_FOUND:
        return fine(f"function {name} is active, and cannot be reached from the internet (internal ingress)")
    return _knock(name, answer, function.region, mending)


def _unlisted(name: str, answer: Answer | Unreachable, mending: Mending) -> Finding:
    if isinstance(answer, Answer) and answer.status == _NOT_FOUND:
        return not_examined(f"function {name}: HTTP 404 is internal ingress, or a function that is not there")
    return _knock(name, answer, None, mending)


def _knock(name: str, answer: Answer | Unreachable, region: str | None, mending: Mending) -> Finding:
    match answer:
        case Unreachable(reason):
            return wrong(f"function {name} does not answer: {reason}", mending.restore())
        case Answer(status=status) if status in _REFUSED:
            return fine(f"function {name} answers, and turns strangers away")
        case Answer(status=status) if status >= _FAILED:
            return wrong(f"function {name} fails: HTTP {status}", mending.explain_function(name, region))
        case Answer(status=status):
            return wrong(
                f"function {name} lets anybody in (HTTP {status} without a token)", mending.close_function(name, region)
            )
