"""The preloaded templates, their payloads, and hostile variants of these."""

from collections.abc import Mapping
from typing import Any

from publisher_api.templates.preloading import Preloaded, read

TEMPLATES: Mapping[str, Preloaded] = {each.name: each for each in read()}
CHANNELS = ("email", "inapp", "push", "sms")
HTML = "<img src=x onerror=alert(1)> \"'><b>&amp;</b></td></table>"
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk" * 8
ARABIC = "مرحبا بالعالم، وصلت الطلبية"
LINES = "One\r\nTwo\u2028Three"


def required(template: Preloaded) -> dict[str, Any]:
    """The sample with its required variables only."""
    return {name: value for name, value in template.sample.items() if name in template.required}


def with_words(value: Any, words: str) -> Any:
    """``value`` with ``words`` for each text in it that is no link."""
    match value:
        case dict():
            return {name: with_words(each, words) for name, each in value.items()}
        case list():
            return [with_words(each, words) for each in value]
        case str() if not value.startswith("https://"):
            return words
        case _:
            return value
