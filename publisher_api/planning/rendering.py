"""Renders templates in a sandbox in which a missing variable is an error and not an empty text.

Templates are rendered in the thread that accepts for every producer. So the content of a channel is limited in
characters and in time; the time is checked at each text, each call and each turn of a loop. This protects from
accidents. Holders of an API key are trusted not to look for a filter that takes long by itself.
"""

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from publisher_api.refusal import Refusal, RefusalCode, invalid

_MAX_RENDERED = 256 * 1024
_MAX_POWER = 64
# CPU time of this thread, so that a busy machine is not the template's fault. Ordinary templates take a thousandth.
_MAX_SECONDS = 0.5
_deadline: ContextVar[float] = ContextVar("deadline")


class _Sandbox(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, which hides our objects from templates, with limits on the work that a template can cause.

    ``*`` and ``**`` are checked before they are computed, also while a template is compiled.
    """

    intercepted_binops = frozenset({"*", "**"})

    def call_binop(self, context: jinja2.runtime.Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" and not (abs(left) <= _MAX_RENDERED and abs(right) <= _MAX_POWER):
            raise SecurityError("a power that large is not allowed")
        for text, times in ((left, right), (right, left)):
            if isinstance(text, str | list | tuple) and isinstance(times, int) and len(text) * times > _MAX_RENDERED:
                raise SecurityError("a repetition that long is not allowed")
        return super().call_binop(context, operator, left, right)

    def call(self, context: jinja2.runtime.Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        _check_time()
        return super().call(context, obj, *args, **kwargs)

    def _generate(self, source: nodes.Template, *args: Any, **kwargs: Any) -> str:
        for loop in source.find_all(nodes.For):
            loop.iter = nodes.Filter(loop.iter, "timed", [], [], None, None, lineno=loop.lineno)
        return super()._generate(source, *args, **kwargs)


def _timed(items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        _check_time()
        yield item


def _check_time() -> None:
    if time.thread_time() > _deadline.get():
        raise SecurityError("takes too long to render")


# Two environments: only HTML is escaped. An ampersand in a subject line must stay as it is.
_TEXT = _Sandbox(undefined=jinja2.StrictUndefined, autoescape=False)
_HTML = _Sandbox(undefined=jinja2.StrictUndefined, autoescape=True)
for _environment in (_TEXT, _HTML):
    _environment.filters["timed"] = _timed
_HTML_FIELDS = frozenset({"html"})
_UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")
_NO_CHARACTER = "contains U+0000 or half of a surrogate pair, which cannot be stored"


@lru_cache(maxsize=4096)
def _compiled(text: str, *, html: bool) -> jinja2.Template:
    return (_HTML if html else _TEXT).from_string(text)


def check(content: Any, field: str) -> None:
    """Raises ``Refusal`` naming the field whose text is not a valid template."""
    match content:
        case dict():
            for name, value in content.items():
                check(value, f"{field}.{name}")
        case list():
            for index, value in enumerate(content):
                check(value, f"{field}.{index}")
        case str():
            if _UNSTORABLE.search(content):
                raise invalid(field, _NO_CHARACTER, RefusalCode.TEMPLATE_FAILED)
            try:
                _compiled(content, html=field.rpartition(".")[2] in _HTML_FIELDS)
            except jinja2.TemplateSyntaxError as error:
                raise invalid(field, f"line {error.lineno}: {error.message}", RefusalCode.TEMPLATE_FAILED) from None
            except (SyntaxError, RecursionError, MemoryError):
                raise invalid(field, "too deeply nested", RefusalCode.TEMPLATE_FAILED) from None
        case _:
            pass


def render(content: Any, variables: dict[str, Any], field: str) -> Any:
    """``content`` with every text in it rendered. Raises ``Refusal`` naming the field and the missing variable."""
    with _time_limited():
        return _render(content, variables, field)


def _render(content: Any, variables: dict[str, Any], field: str) -> Any:
    match content:
        case dict():
            return {name: _render(value, variables, f"{field}.{name}") for name, value in content.items()}
        case list():
            return [_render(value, variables, f"{field}.{index}") for index, value in enumerate(content)]
        case str():
            return _render_text(content, variables, field)
        case _:
            return content


def _render_text(text: str, variables: dict[str, Any], field: str) -> str:
    html = field.rpartition(".")[2] in _HTML_FIELDS
    try:
        _check_time()
        rendered = _limited(_compiled(text, html=html).generate(variables))
    except jinja2.UndefinedError as error:
        raise _failed(field, f"the payload lacks a variable: {error.message}") from None
    except SecurityError as error:
        raise _failed(field, str(error)) from None
    except Exception as error:  # noqa: BLE001 - any error that a template causes in Jinja's filters is the template's
        raise _failed(field, f"{type(error).__name__} while rendering") from None
    if _UNSTORABLE.search(rendered):
        raise _failed(field, _NO_CHARACTER)
    return rendered


def _limited(parts: Iterator[str]) -> str:
    rendered: list[str] = []
    size = 0
    for part in parts:
        size += len(part)
        if size > _MAX_RENDERED:
            raise SecurityError(f"renders to more than {_MAX_RENDERED} characters")
        rendered.append(part)
    return "".join(rendered)


@contextmanager
def _time_limited() -> Iterator[None]:
    token = _deadline.set(time.thread_time() + _MAX_SECONDS)
    try:
        yield
    finally:
        _deadline.reset(token)


def _failed(field: str, message: str) -> Refusal:
    return invalid(field, message, RefusalCode.TEMPLATE_FAILED)
