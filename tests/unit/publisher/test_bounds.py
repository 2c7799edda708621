"""Every text, list, map and number of a request has a bound in the API's schema, besides the bound of its body."""

from collections.abc import Iterator
from typing import Any

import pytest

from publisher_api.app import create_app
from publisher_api.settings import GoogleSettings, Settings
from shared.profile import Profile

SETTINGS = Settings(
    database_url="postgresql:///none",
    profile=Profile.GOOGLE,
    google=GoogleSettings(project="p", push_audience="a", push_service_account="s"),
)
BOUNDED_FORMATS = {"uuid", "date-time", "email", "phone", "timezone", "locale"}
"""Their checks accept no long text."""
BOUNDED_OTHERWISE = {
    "payload": "the body has 256 KB at most, and so many levels",
    "attributes": "16 KB of JSON",
    "content.*": "names fields of a channel type's content, which are known",
    "locales.*.*": "likewise",
    "to.*": "an address, which the check of its kind bounds",
    "message.data": "Google pushes it; the body has 256 KB at most",
    "message.messageId": "likewise",
    "subscription": "likewise",
    "header traceparent": "55 characters, or it is ignored",
}


def resolved(schema: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        *_, kind, name = schema["$ref"].split("/")
        schema = document.get("$defs", document.get("components", {}).get("schemas", {}))[name]
        assert kind in ("schemas", "$defs")
    return schema


def unbounded(schema: dict[str, Any], document: dict[str, Any], path: str) -> Iterator[str]:
    """The path of each value in ``schema`` that has no bound."""
    schema = resolved(schema, document)
    document = schema if "$defs" in schema else document
    if has_no_bound(schema):
        yield path
    for part, below in parts_of(schema):
        yield from unbounded(part, document, f"{path}{below}".lstrip("."))


def has_no_bound(schema: dict[str, Any]) -> bool:
    match schema.get("type"):
        case "string":
            known = {"maxLength", "enum", "const"} & schema.keys() or schema.get("format") in BOUNDED_FORMATS
            return not known and not ("pattern" in schema and is_bounded(schema["pattern"]))
        case "integer" | "number":
            return not {"maximum", "exclusiveMaximum"} & schema.keys()
        case "array":
            return "maxItems" not in schema
        case "object":
            return "maxProperties" not in schema and any(below == ".*" for _, below in parts_of(schema))
    return False


def parts_of(schema: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Each schema in a schema, and what it adds to the path."""
    for name in ("anyOf", "allOf", "oneOf"):
        yield from ((each, "") for each in schema.get(name, ()))
    yield from ((each, f".{name}") for name, each in schema.get("properties", {}).items())
    yield from ((each, ".*") for each in schema.get("patternProperties", {}).values())
    if "items" in schema:
        yield schema["items"], ".*"
    if schema.get("additionalProperties"):
        yield (schema["additionalProperties"] if schema["additionalProperties"] is not True else {}), ".*"


def is_bounded(pattern: str) -> bool:
    """Whether a pattern without ``+``, ``*`` or ``{n,}`` outside of a class limits the length."""
    outside = "".join(part.split("]")[-1] for part in pattern.split("["))
    return not any(repeat in outside for repeat in ("+", "*", ",}"))


def test_a_pattern_is_bounded_if_it_repeats_nothing_without_end() -> None:
    assert is_bounded(r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$")
    assert not is_bounded("^[!-~]+$")
    assert not is_bounded("^[a-z]{2,}$")


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


DOCUMENT = create_app(SETTINGS).openapi()
OPERATIONS = dict(operations())


def unbounded_of(operation: dict[str, Any]) -> set[str]:
    found = {
        f"{parameter['in']} {parameter['name']}"
        for parameter in operation.get("parameters", ())
        for _ in unbounded(parameter["schema"], DOCUMENT, parameter["name"])
    }
    for media in operation.get("requestBody", {}).get("content", {}).values():
        found |= set(unbounded(media["schema"], DOCUMENT, ""))
    return {each.removeprefix("notifications.*.") for each in found}


@pytest.mark.parametrize("name", OPERATIONS)
def test_everything_in_a_request_is_bounded(name: str) -> None:
    assert unbounded_of(OPERATIONS[name]) - BOUNDED_OTHERWISE.keys() == set()


def test_every_exception_is_needed() -> None:
    assert set().union(*map(unbounded_of, OPERATIONS.values())) == BOUNDED_OTHERWISE.keys()
