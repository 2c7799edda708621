"""The filters, tests and globals of templates. They check what they are given before they compute."""

from collections.abc import Callable, Iterable, Iterator, Mapping, MappingView
from functools import wraps
from typing import Any

import jinja2
from jinja2 import filters, nodes, tests
from jinja2.exceptions import SecurityError
from jinja2.runtime import markup_join, str_join
from jinja2.sandbox import safe_range
from jinja2.utils import Namespace
from markupsafe import Markup

from publisher_api.planning import template_texts
from publisher_api.planning.template_limits import MAX_SIZE, check_argument, check_number, check_size, check_time

_MAX_PRECISION = 20
_MAX_INDENT = 8

# None of these makes a text or a list much longer than what it is given. Those that could are wrapped below.
_FILTERS = """
    abs capitalize count d default dictsort e escape filesizeformat first float forceescape groupby int items last
    length list lower map max min reject rejectattr reverse safe select selectattr sort string title truncate
    unique upper urlencode wordcount
""".split()  # noqa: SIM905 - a list would take forty lines
_TESTS: Mapping[str, Any] = tests.TESTS  # typed loosely
_CONTEXTS = (jinja2.Environment, jinja2.runtime.Context, nodes.EvalContext)


def _guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter of Jinja's that checks its arguments first. Keeps the mark by which Jinja passes its context."""

    @wraps(function)
    def checked(*arguments: Any, **options: Any) -> Any:
        check_time()
        data = [_data(each) for each in arguments]
        check_size(*(each for each in data if not isinstance(each, _CONTEXTS)), *options.values())
        return function(*data, **options)

    return checked


def _data(value: Any) -> Any:
    """``value``, as a list if it yields its items one by one: those have no size yet."""
    if isinstance(value, range | MappingView | Iterator):
        items: Any = value
        return _listed(items)
    return value


def _tested(function: Callable[..., Any]) -> Callable[..., Any]:
    """A test of Jinja's that checks its arguments first. Keeps the mark by which Jinja passes its context."""

    @wraps(function)
    def checked(*arguments: Any, **options: Any) -> Any:
        check_time()
        for each in arguments:
            check_number(each)
        return function(*arguments, **options)

    return checked


@jinja2.pass_eval_context
def _join(context: nodes.EvalContext, value: Iterable[Any], d: str = "", attribute: str | int | None = None) -> str:
    items = _listed(value)
    check_size(*items)
    check_size(d, times=len(items))
    return filters.FILTERS["join"](context, items, d, attribute)  # type: ignore[no-any-return]  # typed loosely


@jinja2.pass_eval_context
def _replace(context: nodes.EvalContext, value: str, old: str, new: str, count: int | None = None) -> str:
    check_size(value, old, new)
    found = len(str(value)) + 1 if not old else str(value).count(str(old))
    check_size(new, times=max(found, 1))
    return filters.FILTERS["replace"](context, value, old, new, count)  # type: ignore[no-any-return]  # typed loosely


@jinja2.pass_environment
def _sum(
    environment: jinja2.Environment, value: Iterable[Any], attribute: str | int | None = None, start: Any = 0
) -> Any:
    if not isinstance(start, int | float):
        raise SecurityError("sum adds numbers only")
    items = _listed(value)
    check_size(items)
    return filters.FILTERS["sum"](environment, items, attribute, start)


def _round(value: float, precision: int = 0, method: str = "common") -> float:
    if isinstance(value, str | list | tuple):  # the filter multiplies it
        raise SecurityError("round takes a number")
    check_number(value)
    if abs(precision) > _MAX_PRECISION:
        raise SecurityError("a precision that large is not allowed")
    return filters.FILTERS["round"](value, precision, method)  # type: ignore[no-any-return]  # typed loosely


@jinja2.pass_eval_context
def _tojson(context: nodes.EvalContext, value: Any, indent: int | None = None) -> Markup:
    check_size(value)
    if indent is not None and not 0 <= indent <= _MAX_INDENT:
        raise SecurityError("an indent that large is not allowed")
    if indent:
        check_size(value, times=1 + indent * _depth(value))
    return filters.FILTERS["tojson"](context, value, indent)  # type: ignore[no-any-return]  # typed loosely


def _trim(value: str, chars: str | None = None) -> str:
    check_size(value)
    check_argument(chars)
    return filters.FILTERS["trim"](value, chars)  # type: ignore[no-any-return]  # typed loosely


def _depth(value: object) -> int:
    """How many lists and mappings of ``value`` are nested in each other."""
    depth = 0
    level = [value]
    while level := [each for each in level if isinstance(each, dict | list | tuple) and each]:
        depth += 1
        level = [child for each in level for child in (each.values() if isinstance(each, dict) else each)]
    return depth


def _namespace(*mappings: Any, **values: Any) -> Namespace:
    check_size(*mappings)  # it copies them
    return Namespace(*mappings, **values)


def _listed(value: Iterable[Any]) -> list[Any]:
    """``value`` as a list, whose items are counted while they come."""
    items: list[Any] = []
    for item in value:
        if len(items) >= MAX_SIZE:
            raise SecurityError(f"has more than {MAX_SIZE} items")
        check_time()
        items.append(item)
    return items


def _timed(items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        check_time()
        yield item


def _in_time(value: Any) -> Any:
    check_time()
    return value


def bounded(value: Any) -> Any:
    """``value``, whose size is checked if it is data."""
    check_time()
    if isinstance(value, str | list | tuple | dict | int):
        check_size(value)
    return value


@jinja2.pass_context  # a filter that takes the context is never computed while a template is compiled
def shown(_context: jinja2.runtime.Context, value: Any) -> Any:
    check_size(value)
    return value


@jinja2.pass_eval_context
def _concatenated(context: nodes.EvalContext, parts: list[Any]) -> str:
    check_size(*parts)
    return markup_join(parts) if context.autoescape else str_join(parts)


FILTERS: Mapping[str, Callable[..., Any]] = {name: _guarded(filters.FILTERS[name]) for name in _FILTERS} | {
    "https": _guarded(template_texts.https),
    "join": _join,
    "line": _guarded(template_texts.line),
    "local_time": _guarded(template_texts.local_time),
    "replace": _replace,
    "round": _round,
    "sum": _sum,
    "tojson": _tojson,
    "trim": _trim,
    # The sandbox adds these to a parsed template:
    "bounded": bounded,
    "concatenated": _concatenated,
    "in_time": _in_time,
    "timed": _timed,
}
TESTS: Mapping[str, Callable[..., Any]] = {name: _tested(test) for name, test in _TESTS.items()}
GLOBALS: Mapping[str, Callable[..., Any]] = {"namespace": _namespace, "range": safe_range}
