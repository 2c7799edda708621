"""Alerts, metrics and the handbook match log events by their ``event`` field, and every event is logged somewhere."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.log_events import LogEvent

ROOT = Path(__file__).parents[1]
LOGGING_PACKAGES = ("functions", "postgres", "transport", "publisher_api")
HANDBOOK = ROOT / "docs" / "operations.md"
MATCHING = [*sorted((ROOT / "terraform").rglob("*.tf")), HANDBOOK]
EVENTS = {event.value for event in LogEvent}
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def matched_events(text: str) -> set[str]:
    """Every event that a filter or a query in ``text`` names."""
    unescaped = text.replace('\\"', '"')
    filters = re.findall(
        r'(?:jsonPayload|metric\.labels?)\.event\s*!?[=:]~?\s*(?:one_of)?(\([^)]*\)|"[^"]*")', unescaped
    )
    lines = re.findall(r'"event":("[^"]*")', unescaped)
    return {event for part in (*filters, *lines) for event in re.findall(r'"([^"]*)"', part)}


def modules() -> list[Path]:
    return [path for package in LOGGING_PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


def calls(tree: ast.Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def is_log_call(call: ast.Call) -> bool:
    match call.func:
        case ast.Attribute(value=ast.Name(id="_log"), attr=method):
            return method in LEVELS
    return False


def first_event_argument(call: ast.Call) -> ast.expr | None:
    """The argument that must be a LogEvent: the second of ``_log.log(level, event)``, else the first."""
    place = 1 if isinstance(call.func, ast.Attribute) and call.func.attr == "log" else 0
    return call.args[place] if len(call.args) > place else None


def logs_no_event(argument: ast.expr | None) -> bool:
    """True for text and for a missing argument. mypy checks the type of names and lookups."""
    return argument is None or isinstance(argument, ast.Constant | ast.JoinedStr | ast.BinOp)


def bypasses_event_logger(call: ast.Call) -> bool:
    """True for ``logging.info(…)`` and the like, and for a logger of ours that is not an ``EventLogger``.

    A constant name in ``logging.getLogger("twilio.http_client")`` configures a logger of a library.
    """
    match call.func:
        case ast.Attribute(value=ast.Name(id="logging"), attr="getLogger"):
            return not (call.args and isinstance(call.args[0], ast.Constant))
        case ast.Attribute(value=ast.Name(id="logging"), attr=method):
            return method in LEVELS
    return False


def logs_without_event(call: ast.Call) -> bool:
    return bypasses_event_logger(call) or (is_log_call(call) and logs_no_event(first_event_argument(call)))


def test_filters_of_terraform_and_handbook_name_known_events() -> None:
    matched = {named(path): matched_events(path.read_text(encoding="utf-8")) for path in MATCHING}
    assert matched["terraform/modules/observability/metrics.tf"]
    assert matched["terraform/modules/observability/alerts.tf"]
    assert matched["docs/operations.md"]
    assert {name: events - EVENTS for name, events in matched.items() if events - EVENTS} == {}


def test_alert_labels_are_events_that_the_metric_counts() -> None:
    folder = ROOT / "terraform" / "modules" / "observability"
    alerts, metrics = ((folder / name).read_text(encoding="utf-8") for name in ("alerts.tf", "metrics.tf"))
    assert matched_events(alerts) <= matched_events(metrics)


@pytest.mark.parametrize("path", MATCHING, ids=named)
def test_no_filter_matches_a_module_or_a_sentence(path: Path) -> None:
    assert re.findall(r"jsonPayload\.(?:logger|message)\b", path.read_text(encoding="utf-8")) == []


def test_every_event_is_logged() -> None:
    logged = {
        node.attr
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "LogEvent"
    }
    assert {event.name for event in LogEvent} - logged == set()


def test_every_log_call_logs_an_event() -> None:
    found = [
        f"{named(path)}:{call.lineno}"
        for path in modules()
        for call in calls(ast.parse(path.read_text(encoding="utf-8")))
        if logs_without_event(call)
    ]
    assert found == []


@pytest.mark.parametrize(
    "line",
    [
        pytest.param('_log.info("sent")', id="a sentence"),
        pytest.param('_log.warning(f"{error}")', id="a formatted sentence"),
        pytest.param('_log.log(30, "sent")', id="a sentence after the level"),
        pytest.param("_log = logging.getLogger(__name__)", id="a standard logger"),
        pytest.param('logging.error("failed")', id="the root logger"),
    ],
)
def test_check_finds_log_calls_without_an_event(line: str) -> None:
    [call] = calls(ast.parse(line))
    assert logs_without_event(call)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("_log.info(LogEvent.OUTBOX_SWEPT, published=1)", id="an event"),
        pytest.param("_log.log(level, EVENT_OF_RESULT[result])", id="a table of events"),
        pytest.param('logging.getLogger("twilio.http_client")', id="a logger of a library"),
    ],
)
def test_check_accepts_log_calls_with_an_event(line: str) -> None:
    [call] = calls(ast.parse(line))
    assert not logs_without_event(call)


def test_matched_events_reads_every_form_of_a_filter() -> None:
    text = r"""
        "jsonPayload.event=(\"a.b\" OR \"c.d\")"
        metric.labels.event = one_of(\"e.f\", \"g.h\")
        gcloud logging read 'jsonPayload.event="i.j"'
        grep -e '"event":"k.l"'
    """
    assert matched_events(text) == {"a.b", "c.d", "e.f", "g.h", "i.j", "k.l"}
