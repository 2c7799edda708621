"""The JSON template of a webhook's body: a channel's config has it, and the webhook function fills it in.

A text that is one placeholder and nothing else becomes the value itself, so ``{"event": "{body}"}`` holds an object.
Inside a longer text, a placeholder becomes text. Any other brace stays as it is.
"""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

PLACEHOLDERS = ("title", "text", "body", "event_type", "user_id", "notification_id", "created_at")
"""``title`` and ``text`` of the content, its whole ``body``, and fields of the notification."""
MAX_BYTES = 16 * 1024
MAX_DEPTH = 10
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


def unknown_placeholders(template: Any) -> list[str]:
    """The placeholders in ``template`` that no value replaces, each once, sorted."""
    return sorted(set(_PLACEHOLDER.findall(msgspec.json.encode(template).decode())) - {*PLACEHOLDERS})


def filled(template: Any, values: Mapping[str, Any]) -> Any:
    """``template`` with ``values`` in the place of its placeholders. Keys of objects stay as they are."""
    match template:
        case dict():
            return {key: filled(value, values) for key, value in template.items()}
        case list():
            return [filled(value, values) for value in template]
        case str():
            return _filled_text(template, values)
        case _:
            return template


def _filled_text(template: str, values: Mapping[str, Any]) -> Any:
    whole = _PLACEHOLDER.fullmatch(template)
    if whole and whole[1] in values:
        return values[whole[1]]
    return _PLACEHOLDER.sub(lambda found: _text(values[found[1]]) if found[1] in values else found[0], template)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
