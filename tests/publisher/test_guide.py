"""Runs every command of docs/guide.md and docs/templates.md, in order, and looks for what they say that it answers."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from publisher_api.settings import Settings
from tests.publisher.running import create_api_key, serving

DOCS = Path(__file__).parents[2] / "docs"
COMMANDS = {"guide.md": 13, "templates.md": 2}
"""At least so many are found in each page."""
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARK = "::end of a block::"
# Other values than an example's: ids and times, and the state of what is still on its way.
FREE = re.compile(r'"(?:\w+_id|\w+_at|status|version)":(?:"[^"]*"|\d+)')


def members_of(answer: str) -> list[str]:
    """The members that an example answer shows, as they must be in the real one."""
    members = re.findall(r'"\w+":(?:"[^"]*"|[\d.]+|true|false|null)?', answer)
    return [f"{member.partition(':')[0]}:" if FREE.fullmatch(member) else member for member in members]


@pytest.mark.parametrize("page", COMMANDS)
def test_every_command_of_a_page_answers_what_the_page_says(unswept: Settings, page: str) -> None:
    """In a database of its own: the guide declares event types that other tests use undeclared."""
    blocks = BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))
    assert len(blocks) >= COMMANDS[page]
    script = "".join(f"{block}\necho '{MARK}'\n" for block in blocks)
    with serving(unswept) as url:
        ended = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607 - bash is found like any developer's
            env={**os.environ, "HELIOGRAPH": url, "KEY": create_api_key(unswept.database_url, "guide")},
            check=False,
            capture_output=True,
            text=True,
        )
    printed = ended.stdout.split(MARK)[:-1]
    assert ended.returncode == 0, f"{blocks[len(printed)]}\n{ended.stdout[-2000:]}{ended.stderr}"
    for block, output in zip(blocks, printed, strict=True):
        [answer] = re.findall(r"^# (\{.*\})$", block, re.MULTILINE)
        assert [member for member in members_of(answer) if member not in output] == [], f"{block}\n{output}"
