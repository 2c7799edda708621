"""Checks that each function is deployed and refuses callers other than the push account.

The doctor sends a GET without a token. Google must refuse it before any of our code runs. If a function accepts
everyone, a GET still does no harm: it contains no message, so the function responds 400. From outside Google Cloud,
internal ingress responds 404 also for a function that works; then only Google's list shows whether it does.
"""

from collections.abc import Iterator, Mapping

from doctor.checks.unknown import check_unknown
from doctor.facts import DeployedFunction, Response, Unknown, Unreachable
from doctor.finding import Finding, failed, ok, skipped
from doctor.remedies import Fault, Remedies, fill_function
from doctor.settings import service_name

_REFUSED = (401, 403)
_NOT_FOUND = 404
_SERVER_ERROR = 500


def check_functions(
    urls: Mapping[str, str],
    responses: Mapping[str, Response | Unreachable],
    deployed: Mapping[str, DeployedFunction] | Unknown | None,
    remedies: Remedies,
) -> Iterator[Finding]:
    """``deployed`` is Google's list, by Google's names. It is None for the local stack: only responses count there."""
    if deployed is None:
        for name in urls:
            yield _check_response(name, responses[name], None, remedies)
    elif isinstance(deployed, Mapping):
        for name, url in urls.items():
            yield _check_deployed(name, url, responses[name], deployed.get(service_name(name)), remedies)
    else:
        yield check_unknown("the list of functions", deployed, remedies)
        for name in urls:
            yield _check_unlisted(name, responses[name], remedies)


def _check_deployed(
    name: str, url: str, response: Response | Unreachable, function: DeployedFunction | None, remedies: Remedies
) -> Finding:
    if function is None:
        return failed(f"function {name}: {service_name(name)} is not deployed", remedies[Fault.MISSING])
    if function.state != "ACTIVE":
        fix = fill_function(remedies[Fault.FUNCTION_FAILS], name, function.region)
        return failed(f"function {name} is {function.state}, not ACTIVE", fix)
    if function.url != url:
        fix = remedies[Fault.SETTINGS_WRONG]
        return failed(f"function {name} is at {function.url}, but these settings say {url}", fix)
    if isinstance(response, Response) and response.status == _NOT_FOUND:
        return ok(f"function {name} is active, and not reachable from the internet (internal ingress)")
    return _check_response(name, response, function.region, remedies)


def _check_unlisted(name: str, response: Response | Unreachable, remedies: Remedies) -> Finding:
    if isinstance(response, Response) and response.status == _NOT_FOUND:
        return skipped(f"function {name}: HTTP 404 means internal ingress, or that the function does not exist")
    return _check_response(name, response, None, remedies)


def _check_response(name: str, response: Response | Unreachable, region: str | None, remedies: Remedies) -> Finding:
    match response:
        case Unreachable(reason):
            return failed(f"function {name} does not respond: {reason}", remedies[Fault.MISSING])
        case Response(status=status) if status in _REFUSED:
            return ok(f"function {name} responds, and refuses a request without a token")
        case Response(status=status) if status >= _SERVER_ERROR:
            fix = fill_function(remedies[Fault.FUNCTION_FAILS], name, region)
            return failed(f"function {name} fails: HTTP {status}", fix)
        case Response(status=status):
            fix = fill_function(remedies[Fault.FUNCTION_PUBLIC], name, region)
            return failed(f"function {name} accepts a request without a token: HTTP {status}", fix)
