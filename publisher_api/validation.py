"""Turns Pydantic's findings into refusals. Holds no value of the request, which may be personal data."""

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from publisher_api.refusal import Refusal, RefusalCode

_SOURCES = ("body", "query", "path", "header")


def refusal_of(error: ValidationError, prefix: tuple[str, ...] = ()) -> Refusal:
    """The refusal for a model that did not validate; ``prefix`` is the place of the model in the request."""
    return refusal_of_findings(error.errors(), prefix)


def refusal_of_findings(findings: Sequence[Mapping[str, Any]], prefix: tuple[str, ...] = ()) -> Refusal:
    """The refusal for Pydantic's (or FastAPI's) list of errors. Malformed JSON has a code of its own."""
    for finding in findings:
        if finding["type"] == "json_invalid":
            reason = finding.get("ctx", {}).get("error", finding["msg"])
            return Refusal(RefusalCode.MALFORMED_JSON, f"The body cannot be parsed as JSON: {reason}.")
    fields = [
        (".".join(map(str, _path(finding, prefix))) or "body", finding["msg"].removeprefix("Value error, "))
        for finding in findings
    ]
    detail = "; ".join(f"{field}: {message}" for field, message in fields)
    return Refusal(RefusalCode.INVALID_REQUEST, detail, fields=fields)


def _path(finding: Mapping[str, Any], prefix: tuple[str, ...]) -> tuple[str | int, ...]:
    """The place of the finding. Only a whole request begins with its source: a part may have a field named body."""
    location: tuple[str | int, ...] = tuple(finding["loc"])
    return location[1:] if not prefix and location[:1] and location[0] in _SOURCES else (*prefix, *location)
