"""The Jinja environments of templates: what a template may use, and how much memory and time it may take.

Templates are rendered in the thread that accepts for every producer, so no template may take long or much, whatever it
contains. Every value that a template can build has a limited *size*: the characters that it would have as text. All
operations that can make a value larger than what they are given check the size of the result before they compute it;
those that cannot be checked are not available. Time is checked at each text, call, filter and turn of a loop.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, MappingView
from functools import wraps
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.runtime import markup_join, str_join
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer
from markupsafe import Markup

from publisher_api.planning.template_limits import MAX_SIZE, check_operator, check_size, check_time

_MAX_PRECISION = 20
_MAX_INDENT = 8

# None of these makes a text or a list much longer than what it is given. Those that could are wrapped below.
_FILTERS = """
    abs capitalize count d default dictsort e escape filesizeformat first float forceescape groupby int items last
    length list lower map max min reject rejectattr reverse safe select selectattr sort string title trim truncate
    unique upper urlencode wordcount
""".split()  # noqa: SIM905 - a list would take forty lines
_TEXT_METHODS = frozenset(
    """
    capitalize casefold count endswith find index isalnum isalpha isdecimal isdigit islower isnumeric isspace istitle
    isupper lower lstrip partition removeprefix removesuffix rfind rindex rpartition rsplit rstrip split splitlines
    startswith strip swapcase title upper
    """.split()  # noqa: SIM905 - likewise
)
_CONTEXTS = (jinja2.Environment, jinja2.runtime.Context, nodes.EvalContext)
_METHODS: Mapping[type, frozenset[str]] = {
    str: _TEXT_METHODS,
    dict: frozenset({"get", "items", "keys", "values"}),
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index", "grouper", "list"}),  # the last two are those of groupby's results
    int: frozenset(),
    float: frozenset({"is_integer"}),
}


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


@jinja2.pass_eval_context
def _join(context: nodes.EvalContext, value: Iterable[Any], d: str = "", attribute: str | int | None = None) -> str:
    items = _listed(value)
    check_size(*items)
    check_size(d, times=len(items))
    return FILTERS["join"](context, items, d, attribute)  # type: ignore[no-any-return]  # typed loosely


@jinja2.pass_eval_context
def _replace(context: nodes.EvalContext, value: str, old: str, new: str, count: int | None = None) -> str:
    check_size(value, old, new)
    found = len(str(value)) + 1 if not old else str(value).count(str(old))
    check_size(new, times=max(found, 1))
    return FILTERS["replace"](context, value, old, new, count)  # type: ignore[no-any-return]  # typed loosely


@jinja2.pass_environment
def _sum(
    environment: jinja2.Environment, value: Iterable[Any], attribute: str | int | None = None, start: Any = 0
) -> Any:
    if not isinstance(start, int | float):
        raise SecurityError("sum adds numbers only")
    return FILTERS["sum"](environment, _listed(value), attribute, start)


def _round(value: float, precision: int = 0, method: str = "common") -> float:
    if abs(precision) > _MAX_PRECISION:
        raise SecurityError("a precision that large is not allowed")
    return FILTERS["round"](value, precision, method)  # type: ignore[no-any-return]  # typed loosely


@jinja2.pass_eval_context
def _tojson(context: nodes.EvalContext, value: Any, indent: int | None = None) -> Markup:
    check_size(value)
    if indent is not None and not 0 <= indent <= _MAX_INDENT:
        raise SecurityError("an indent that large is not allowed")
    return FILTERS["tojson"](context, value, indent)  # type: ignore[no-any-return]  # typed loosely


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


def _bounded(value: Any) -> Any:
    check_size(value)
    return value


@jinja2.pass_context  # a filter that takes the context is never computed while a template is compiled
def _shown(_context: jinja2.runtime.Context, value: Any) -> Any:
    check_size(value)
    return value


@jinja2.pass_eval_context
def _concatenated(context: nodes.EvalContext, parts: list[Any]) -> str:
    check_size(*parts)
    return markup_join(parts) if context.autoescape else str_join(parts)


def _concat(parts: Iterable[str]) -> str:
    """Joins the texts of a block or a macro. A loop may have added one text many times."""
    texts = list(parts)
    check_size(*texts)
    return "".join(texts)


class _Checks(NodeTransformer):
    """Adds checks to a parsed template, where it loops, concatenates, or builds a list or a mapping."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        node.iter = _filtered(node.iter, "timed")
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Expr:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), "concatenated")

    def visit_List(self, node: nodes.List) -> nodes.Expr:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        return _filtered(node, "bounded")

    def visit_Dict(self, node: nodes.Dict) -> nodes.Expr:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        return _filtered(node, "bounded")

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Expr:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        return _filtered(node, "bounded") if node.ctx == "load" else node


def _filtered(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, which hides our objects from templates, with the limits of this module.

    Operators are checked before they are computed. Nothing is computed while a template is compiled.
    """

    intercepted_binops = frozenset({"*", "**", "%", "+"})
    concat = staticmethod(_concat)

    def __init__(self, *, autoescape: bool) -> None:
        super().__init__(undefined=jinja2.StrictUndefined, autoescape=autoescape, finalize=_shown, optimized=False)
        self.globals = {name: self.globals[name] for name in ("range", "namespace")}
        self.filters = {name: _guarded(FILTERS[name]) for name in _FILTERS} | {
            "join": _join,
            "replace": _replace,
            "round": _round,
            "sum": _sum,
            "tojson": _tojson,
            "bounded": _bounded,
            "concatenated": _concatenated,
            "timed": _timed,
        }

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        known = next((names for kind, names in _METHODS.items() if isinstance(obj, kind)), None)
        return super().is_safe_attribute(obj, attr, value) and (known is None or attr in known)

    def wrap_str_format(self, value: Any) -> None:
        """Jinja would allow ``str.format`` before it asks ``is_safe_attribute``. A width makes its result endless."""

    def call_binop(self, context: jinja2.runtime.Context, operator: str, left: Any, right: Any) -> Any:
        check_operator(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def call(self, context: jinja2.runtime.Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        check_time()
        return super().call(context, obj, *args, **kwargs)

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        return super()._generate(_Checks().visit(source), *args, **kwargs)
