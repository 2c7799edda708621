"""``python -m deploy.terraform_docs``: write the tables of inputs and outputs into Terraform's READMEs.

``--check`` writes nothing and fails when a table is not what the ``.tf`` files say.
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
    """The two Markdown tables of a module's folder."""
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
    """``readme`` with the module's tables between its two markers. Raises ``ValueError`` when it lacks them."""
    head, begin, rest = readme.partition(_BEGIN)
    _, end, tail = rest.partition(_END)
    if not begin or not end:
        message = f"The README of {module.name} lacks the lines {_BEGIN} and {_END}."
        raise ValueError(message)
    return f"{head}{begin}\n{tables(module)}\n{end}{tail}"


def _blocks(path: Path, kind: str) -> list[tuple[str, dict[str, Any]]]:
    parsed = hcl2.loads(path.read_text(encoding="utf-8"))
    return [(name.strip('"'), block) for entry in parsed.get(kind, []) for name, block in entry.items()]


def _text(quoted: str) -> str:
    """What a quoted HCL string says, fit for a cell."""
    text: str = json.loads(quoted)
    return text.replace("|", "\\|")


def _type(block: dict[str, Any]) -> str:
    """``object`` for an object, whose fields the file shows better than a cell could."""
    kind = _expression(block["type"])
    return kind if "object(" not in kind else kind.partition("object(")[0] + "object" + ")" * (kind.count("map(") > 0)


def _default(block: dict[str, Any]) -> str:
    if "default" not in block:
        return "**required**"
    default = block["default"]
    text = _expression(default) if isinstance(default, str) else json.dumps(default)
    return "`" + text.replace("|", "\\|") + "`"


def _expression(parsed: str) -> str:
    """The parser wraps what is no literal in ``${}``."""
    return parsed[2:-1] if parsed.startswith("${") else parsed


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m deploy.terraform_docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail on drift instead of writing")
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
        sys.exit(f"Run `python -m deploy.terraform_docs`: out of date: {', '.join(drifted)}")


if __name__ == "__main__":
    main()
