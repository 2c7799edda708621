"""The Jinja environments of templates: what a template may use, and how much memory and time it may take.

Templates are rendered in the thread that accepts for every producer, so no template may take long or much, whatever it
contains. Every value that a template can build has a limited *size*: the characters that it would have as text. All
operations that can make a value larger than what they are given check the size of the result before they compute it;
those that cannot be checked are not available. Time is checked at each text, operator, comparison, call, filter, test
and turn of a loop.
"""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from publisher_api.planning.template_filters import FILTERS, GLOBALS, TESTS, bounded, shown
from publisher_api.planning.template_limits import check_argument, check_operator, check_size, check_time, check_work

# Python takes about a second to compile 50,000.
_MAX_NODES = 10_000
_TEXT_METHODS = frozenset(
    """
    capitalize casefold count endswith find index isalnum isalpha isdecimal isdigit islower isnumeric isspace istitle
    isupper lower lstrip partition removeprefix removesuffix rfind rindex rpartition rsplit rstrip split splitlines
    startswith strip swapcase title upper
    """.split()  # noqa: SIM905 - a list would take thirty lines
)
_METHODS: Mapping[type, frozenset[str]] = {
    str: _TEXT_METHODS,
    dict: frozenset({"get", "items", "keys", "values"}),
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index", "grouper", "list"}),  # the last two are those of groupby's results
    int: frozenset(),
    float: frozenset({"is_integer"}),
}


def _concat(parts: Iterable[str]) -> str:
    """Joins the texts of a block or a macro. A loop may have added one text many times."""
    texts = list(parts)
    check_size(*texts)
    return "".join(texts)


class _Checks(NodeTransformer):
    """Adds checks to a parsed template, where it loops, compares, concatenates, or builds a list or a mapping."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        node.iter = _filtered(node.iter, "timed")
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Compare:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        for operand in node.ops:
            operand.expr = _filtered(operand.expr, "in_time")
        return node

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Expr:  # noqa: N802 - Jinja's name
        self.generic_visit(node)
        return _filtered(node, "bounded") if isinstance(node.arg, nodes.Slice) else node

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

    intercepted_binops = frozenset(ImmutableSandboxedEnvironment.default_binop_table)
    intercepted_unops = frozenset(ImmutableSandboxedEnvironment.default_unop_table)
    concat = staticmethod(_concat)

    def __init__(self, *, autoescape: bool) -> None:
        super().__init__(undefined=jinja2.StrictUndefined, autoescape=autoescape, finalize=shown, optimized=False)
        self.globals = dict(GLOBALS)
        self.tests = dict(TESTS)
        self.filters = dict(FILTERS)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        known = next((names for kind, names in _METHODS.items() if isinstance(obj, kind)), None)
        return super().is_safe_attribute(obj, attr, value) and (known is None or attr in known)

    def wrap_str_format(self, value: Any) -> None:
        """Jinja would allow ``str.format`` before it asks ``is_safe_attribute``. A width makes its result endless."""

    def call_binop(self, context: jinja2.runtime.Context, operator: str, left: Any, right: Any) -> Any:
        check_operator(operator, left, right)
        return super().call_binop(context, operator, left, right)

    def call_unop(self, context: jinja2.runtime.Context, operator: str, arg: Any) -> Any:
        check_operator(operator, arg)
        return super().call_unop(context, operator, arg)

    def call(self, context: jinja2.runtime.Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        check_time()
        check_work(len(args) + len(kwargs))
        if isinstance(getattr(obj, "__self__", None), str):
            for each in args:
                check_argument(each)
        return bounded(super().call(context, obj, *args, **kwargs))

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        if next(islice(source.find_all(nodes.Node), _MAX_NODES, None), None):
            message = f"has more than {_MAX_NODES:,} expressions and statements"
            raise jinja2.TemplateSyntaxError(message, source.lineno)
        return super()._generate(_Checks().visit(source), *args, **kwargs)
