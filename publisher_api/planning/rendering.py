"""Renders templates in a sandbox in which a missing variable is an error and not an empty text.

``template_sandbox`` limits the memory and the time that a template takes. Ordinary templates take a thousandth of it.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import jinja2
from jinja2 import meta
from jinja2.exceptions import SecurityError

from publisher_api.planning.template_limits import MAX_SIZE, check_time, check_work, limited
from publisher_api.planning.template_sandbox import Sandbox
from publisher_api.refusal import Refusal, RefusalCode, invalid

MAX_SECONDS = 0.25
_MAX_MESSAGE = 500
# Two environments: only HTML is escaped. An ampersand in a subject line must stay as it is.
_TEXT = Sandbox(autoescape=False)
_HTML = Sandbox(autoescape=True)
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
                raise _failed(field, _NO_CHARACTER)
            try:
                _compiled(content, html=field.rpartition(".")[2] in _HTML_FIELDS)
            except jinja2.TemplateSyntaxError as error:
                raise _failed(field, f"line {error.lineno}: {error.message}") from None
            except (RecursionError, MemoryError):
                raise _failed(field, "too deeply nested") from None
            except (SyntaxError, ValueError) as error:  # of the Python code that the template becomes
                raise _failed(field, f"cannot be compiled: {error.args[0]}") from None
        case _:
            pass


def variables_of(content: Any) -> set[str]:
    """The names that the texts in ``content`` read, without what they set themselves. ``content`` was checked."""
    match content:
        case dict():
            return set().union(*map(variables_of, content.values()))
        case list():
            return set().union(*map(variables_of, content))
        case str():
            return meta.find_undeclared_variables(_TEXT.parse(content))
        case _:
            return set()


def render(content: Any, variables: dict[str, Any], field: str) -> Any:
    """``content`` with every text in it rendered. Raises ``Refusal`` naming the field and the missing variable."""
    with limited(MAX_SECONDS):
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
        check_time()
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
        if size > MAX_SIZE:
            raise SecurityError(f"renders to more than {MAX_SIZE} characters")
        rendered.append(part)
    check_work(size)
    return "".join(rendered)


def _failed(field: str, message: str) -> Refusal:
    # Names of fields and variables may be long, and each item of a batch may fail.
    return invalid(field[:_MAX_MESSAGE], message[:_MAX_MESSAGE], RefusalCode.TEMPLATE_FAILED)
