"""The templates that every installation has from the start, read from the files in ``preloaded/``.

Each text is stored with the layout around it, because a stored template cannot include another.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from postgres.pool import Pool
from publisher_api.db.config_cache import ConfigCache
from publisher_api.fields import Name
from publisher_api.principal import command
from publisher_api.templates.model import TemplateFields
from publisher_api.templates.service import create_template

FOLDER = Path(__file__).parent / "preloaded"
_LAYOUT = "layout"
_name = TypeAdapter(Name)
_Described = dict[str, Annotated[str, Field(min_length=1)]]


class _Email(BaseModel):
    """The one-line texts of an e-mail. ``reason`` says in the footer why it was sent."""

    model_config = ConfigDict(extra="forbid")

    subject: str
    preheader: str
    reason: str
    reason_text: str | None = Field(default=None, description="Instead of ``reason`` where there is no HTML.")


class _File(BaseModel):
    """A ``template.toml``. ``prelude`` is set before each of the template's texts."""

    model_config = ConfigDict(extra="forbid")

    description: str
    required: _Described
    optional: _Described
    sample: dict[str, Any]
    email: _Email
    sms: dict[str, Any]
    push: dict[str, Any]
    inapp: dict[str, Any]
    prelude: str = ""


class Preloaded(BaseModel):
    """One of the templates: what it is for, the variables that it reads, and a payload that it renders with."""

    name: Name
    description: str
    required: dict[str, str]
    optional: dict[str, str]
    sample: dict[str, Any]
    fields: TemplateFields


def preload(pool: Pool) -> list[str]:
    """Store each template whose name is not taken; returns the names of the new ones. Others stay as they are.

    Raises ``Refusal`` for a text that is no template, and what reading the files raises.
    """
    cache, caller = ConfigCache(pool), command("migrate")
    stored = cache.current().templates
    return [
        each.name
        for each in read()
        if (None, each.name) not in stored and create_template(pool, cache, (None, each.name), each.fields, caller)
    ]


def common_variables(folder: Path = FOLDER) -> dict[str, str]:
    """What each template can read beside its own variables, with what it is."""
    text = (folder / _LAYOUT / "layout.toml").read_text(encoding="utf-8")
    described: dict[str, str] = tomllib.loads(text)["optional"]
    return described


def read(folder: Path = FOLDER) -> list[Preloaded]:
    """All templates, by name. Raises ``OSError`` or ``ValueError`` for a file that is missing or cannot be read."""
    layout = {path.name: path.read_text(encoding="utf-8") for path in (folder / _LAYOUT).iterdir()}
    return [_read(path.parent, layout) for path in sorted(folder.glob("*/template.toml"))]


def _read(folder: Path, layout: Mapping[str, str]) -> Preloaded:
    file = _File.model_validate(tomllib.loads((folder / "template.toml").read_text(encoding="utf-8")))
    content = {
        "email": _email(folder, file.email, layout),
        "sms": {**file.sms, "text": _filled(layout["sms.txt"], body=file.sms["text"])},
        "push": file.push,
        "inapp": file.inapp,
    }
    return Preloaded(
        name=_name.validate_python(folder.name),
        description=file.description,
        required=file.required,
        optional=file.optional,
        sample=file.sample,
        fields=TemplateFields(content={slug: _preceded(file.prelude, texts) for slug, texts in content.items()}),
    )


def _email(folder: Path, email: _Email, layout: Mapping[str, str]) -> dict[str, str]:
    html, text = ((folder / name).read_text(encoding="utf-8").rstrip("\n") for name in ("email.html", "email.txt"))
    line = {"subject": email.subject, "preheader": email.preheader}
    return {
        "subject": email.subject,
        "text": _filled(layout["email.txt"], body=text, reason=email.reason_text or email.reason),
        "html": _filled(layout["email.html"], body=html, reason=email.reason, **line),
    }


def _filled(layout: str, **parts: str) -> str:
    """``layout`` with each part in place of its ``[[name]]``."""
    for name, part in parts.items():
        layout = layout.replace(f"[[{name}]]", part)
    return layout.rstrip("\n")


def _preceded(prelude: str, value: Any) -> Any:
    """``value`` with ``prelude`` before each text in it."""
    match value:
        case dict():
            return {name: _preceded(prelude, each) for name, each in value.items()}
        case str():
            return prelude.lstrip("\n") + value
        case _:
            return value
