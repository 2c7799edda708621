"""Reads the files of a folder.

::

channels/webhook-chat.toml        channel_type, enabled, config, as PUT /v1/channels/{channel} takes them
templates/receipt.toml            content, locales
event-types/payment.toml          channels, template_name, time_to_live_seconds
limits/producer.toml              limit, window_seconds, burst; also producer:NAME.toml, user.toml, channel:SLUG.toml
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from pydantic import BaseModel, TypeAdapter, ValidationError

from publisher_api.channels.model import ChannelFields
from publisher_api.event_types.model import EventTypeFields
from publisher_api.fields import Name
from publisher_api.limits.model import LimitFields
from publisher_api.refusal import Refusal
from publisher_api.templates.model import TemplateContent
from publisher_api.validation import refusal_of

F = TypeVar("F", bound=BaseModel)
CHANNELS, TEMPLATES, EVENT_TYPES, LIMITS = "channels", "templates", "event-types", "limits"
_FOLDERS = (CHANNELS, TEMPLATES, EVENT_TYPES, LIMITS)
_name = TypeAdapter(Name)


class BadDeclarations(Exception):
    """Files that cannot be applied. ``faults`` has a line for each fault, which begins with the file's place."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Declarations:
    """What the files declare, by name."""

    channels: Mapping[str, ChannelFields] = field(default_factory=dict)
    templates: Mapping[str, TemplateContent] = field(default_factory=dict)
    event_types: Mapping[str, EventTypeFields] = field(default_factory=dict)
    limits: Mapping[str, LimitFields] = field(default_factory=dict)


def read(folder: Path) -> Declarations:
    """Everything in ``folder``. Raises ``BadDeclarations`` with every fault of every file."""
    faults: list[str] = []
    if not folder.is_dir():
        raise BadDeclarations([f"{folder} is not a folder."])
    documents = {name: dict(_documents(folder / name, faults)) for name in _FOLDERS}
    expected = ", ".join(f"{name}/" for name in _FOLDERS)
    faults += [
        f"{each.name}: not one of {expected}"
        for each in sorted(folder.iterdir())
        if each.name not in _FOLDERS and not each.name.startswith(".")
    ]
    declared = Declarations(
        _validated(ChannelFields, documents[CHANNELS], CHANNELS, faults),
        _validated(TemplateContent, documents[TEMPLATES], TEMPLATES, faults),
        _validated(EventTypeFields, documents[EVENT_TYPES], EVENT_TYPES, faults),
        _validated(LimitFields, documents[LIMITS], LIMITS, faults),
    )
    if faults:
        raise BadDeclarations(faults)
    return declared


def faults_of(place: str, refusal: Refusal) -> list[str]:
    """A line for each fault of the file at ``place``."""
    return [f"{place}.toml: {name}: {message}" for name, message in refusal.fields] or [
        f"{place}.toml: {refusal.detail}"
    ]


def _documents(folder: Path, faults: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        place = f"{folder.name}/{path.name}"
        if path.name.startswith("."):
            continue
        if path.suffix != ".toml":
            faults.append(f"{place}: not a file NAME.toml")
            continue
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
            yield _name.validate_python(path.stem), msgspec.json.decode(msgspec.json.encode(document))  # dates as text
        except ValidationError:
            faults.append(f"{place}: the name has 1 to 128 letters, digits and . _ : -")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            faults.append(f"{place}: cannot be read as TOML: {error}")


def _validated(model: type[F], documents: Mapping[str, dict[str, Any]], folder: str, faults: list[str]) -> dict[str, F]:
    found = {}
    for name, document in documents.items():
        try:
            found[name] = model.model_validate(document)
        except ValidationError as error:
            faults += faults_of(f"{folder}/{name}", refusal_of(error))
    return found
