"""``python -m deploy.template_docs``: write the preloaded templates into ``docs/templates.md``."""

import json
from collections.abc import Mapping
from pathlib import Path

from publisher_api.templates.preloading import Preloaded, common_variables, read

PAGE = Path(__file__).parent.parent / "docs" / "templates.md"
_BEGIN, _END = "<!-- templates: begin -->", "<!-- templates: end -->"


def with_templates(page: str) -> str:
    """``page`` with all templates between its two markers. Raises ``ValueError`` if a marker is missing."""
    head, begin, rest = page.partition(_BEGIN)
    _, end, tail = rest.partition(_END)
    if not begin or not end:
        message = f"{PAGE.name} has no place for the templates. Add the lines {_BEGIN} and {_END}."
        raise ValueError(message)
    common = ["Each can also have:", "", *_table({}, common_variables())]
    sections = "\n\n".join(["\n".join(common), *map(_section, read())])
    return f"{head}{begin}\n{sections}\n{end}{tail}"


def _section(template: Preloaded) -> str:
    payload = json.dumps(template.sample, ensure_ascii=False, indent=2)
    return "\n".join(
        [
            f"### {template.name}",
            "",
            template.description,
            "",
            *_table(template.required, template.optional),
            "",
            "```json",
            payload,
            "```",
        ]
    )


def _table(required: Mapping[str, str], optional: Mapping[str, str]) -> list[str]:
    rows = [
        *(f"| `{name}` | **required** | {text} |" for name, text in required.items()),
        *(f"| `{name}` | | {text} |" for name, text in optional.items()),
    ]
    return ["| variable | | what it is |", "|---|---|---|", *rows]


def main() -> None:
    PAGE.write_text(with_templates(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
