"""``python -m deploy.terraform_docs``: write the tables of inputs and outputs into Terraform's READMEs.

``--check`` writes nothing, and fails if a table differs from the ``.tf`` files.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import hcl2

TERRAFORM = Path(__file__).parent.parent / "terraform"
_BEGIN, _END = "<!-- tables: begin -->", "<!-- tables: end -->"


def modules() -> list[Path]:
    """The folders that have a README: the root and every module."""
    return [TERRAFORM, *sorted(path for path in (TERRAFORM / "modules").iterdir() if path.is_dir())]


def tables(module: Path) -> str:
    """The Markdown tables of a module's inputs and outputs."""
    inputs = [
        f"| `{name}` | {_text(block['description'])} | `{_type(block)}` | {_default(block)} |"
        for name, block in _blocks(module / "variables.tf", "variable")
    ]
    outputs = [
        f"| `{name}` | {_text(block['description'])} |" for name, block in _blocks(module / "outputs.tf", "output")
    ]
    return "\n".join(
        [
            "| input | what it is | type | default |",
            "|---|---|---|---|",
            *inputs,
            "",
            "| output | what it is |",
            "|---|---|",
            *outputs,
        ]
    )


def with_tables(readme: str, module: Path) -> str:
    """``readme`` with the module's tables between its two markers. Raises ``ValueError`` if a marker is missing."""
    head, begin, rest = readme.partition(_BEGIN)
    _, end, tail = rest.partition(_END)
    if not begin or not end:
        message = f"The README of {module.name} has no tables. Add the lines {_BEGIN} and {_END}."
        raise ValueError(message)
    return f"{head}{begin}\n{tables(module)}\n{end}{tail}"


def _blocks(path: Path, block_type: str) -> list[tuple[str, dict[str, Any]]]:
    parsed = hcl2.loads(path.read_text(encoding="utf-8"))
    return [(name.strip('"'), block) for entry in parsed.get(block_type, []) for name, block in entry.items()]


def _text(quoted: str) -> str:
    """A quoted HCL string as the text of a table cell."""
    text: str = json.loads(quoted)
    return text.replace("|", "\\|")


def _type(block: dict[str, Any]) -> str:
    """The type of a variable, without the fields of objects: they do not fit in a table cell."""
    declared = _expression(block["type"])
    before, is_object, _ = declared.partition("object(")
    return f"{before}object{')' if 'map(' in before else ''}" if is_object else declared


def _default(block: dict[str, Any]) -> str:
    if "default" not in block:
        return "**required**"
    default = block["default"]
    text = _expression(default) if isinstance(default, str) else json.dumps(default)
    return "`" + text.replace("|", "\\|") + "`"


def _expression(parsed: str) -> str:
    """An expression without the ``${}`` that the parser puts around it."""
    return parsed[2:-1] if parsed.startswith("${") else parsed


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.terraform_docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if a table is out of date, instead of writing it")
    check: bool = parser.parse_args().check
    drifted = []
    for module in modules():
        path = module / "README.md"
        before = path.read_text(encoding="utf-8")
        after = with_tables(before, module)
        if before != after:
            drifted.append(str(path.relative_to(TERRAFORM.parent)))
            if not check:
                path.write_text(after, encoding="utf-8")
    if drifted and check:
        sys.exit(f"Tables are out of date. Run `python -m deploy.terraform_docs`: {', '.join(drifted)}")


if __name__ == "__main__":
    main()
