"""Rendering templates in a sandbox, where a variable that is missing is an error and not an empty space."""

from functools import lru_cache
from typing import Any

import jinja2
from jinja2.sandbox import SandboxedEnvironment

from publisher_api.errors import Problem, invalid

# Two environments, since only HTML is escaped: an ampersand in a subject line must stay one.
_TEXT = SandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=False)
_HTML = SandboxedEnvironment(undefined=jinja2.StrictUndefined, autoescape=True)
_HTML_FIELDS = frozenset({"html"})
_MAX_RENDERED = 256 * 1024


@lru_cache(maxsize=4096)
def _compiled(text: str, *, html: bool) -> jinja2.Template:
    return (_HTML if html else _TEXT).from_string(text)


def check(content: Any, field: str) -> None:
    """Raises ``Problem`` naming the field whose text is no template."""
    match content:
        case dict():
            for name, value in content.items():
                check(value, f"{field}.{name}")
        case list():
            for index, value in enumerate(content):
                check(value, f"{field}.{index}")
        case str():
            try:
                _compiled(content, html=field.rpartition(".")[2] in _HTML_FIELDS)
            except jinja2.TemplateSyntaxError as error:
                raise invalid(field, f"line {error.lineno}: {error.message}", "template_failed") from None
        case _:
            pass


def render(content: Any, variables: dict[str, Any], field: str) -> Any:
    """``content`` with every text in it rendered. Raises ``Problem`` naming the field and the missing variable."""
    match content:
        case dict():
            return {name: render(value, variables, f"{field}.{name}") for name, value in content.items()}
        case list():
            return [render(value, variables, f"{field}.{index}") for index, value in enumerate(content)]
        case str():
            return _render_text(content, variables, field)
        case _:
            return content


def _render_text(text: str, variables: dict[str, Any], field: str) -> str:
    html = field.rpartition(".")[2] in _HTML_FIELDS
    try:
        rendered = _compiled(text, html=html).render(variables)
    except jinja2.UndefinedError as error:
        raise _failed(field, f"the payload lacks a variable: {error.message}") from None
    except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        raise _failed(field, f"{type(error).__name__} while rendering") from None
    if len(rendered) > _MAX_RENDERED:
        raise _failed(field, f"renders to more than {_MAX_RENDERED} characters")
    return rendered


def _failed(field: str, message: str) -> Problem:
    return invalid(field, message, "template_failed")
