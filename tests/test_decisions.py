"""Checks the decision records: one form for all, and every path they name exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
RECORDS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))
PARTS = ["Decided", "Why", "Costs", "In the code"]
SCREEN_LINES = 35


@pytest.fixture(params=RECORDS, ids=lambda path: path.stem)
def record(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_numbers_are_unique() -> None:
    numbers = [path.name[:4] for path in RECORDS]
    assert numbers
    assert len(numbers) == len(set(numbers))


def test_record_has_its_number_and_title(record: Path) -> None:
    heading = record.read_text(encoding="utf-8").partition("\n")[0]
    assert heading.startswith(f"# {int(record.name[:4])}. ")


def test_record_has_every_part_and_fits_on_a_screen(record: Path) -> None:
    text = record.read_text(encoding="utf-8")
    parts = re.findall(r"^\*\*(.+?)\.\*\*", text, re.MULTILINE)
    assert [part for part in parts if part in PARTS] == PARTS
    assert len(text.splitlines()) <= SCREEN_LINES


def test_every_path_in_a_record_exists(record: Path) -> None:
    quoted = re.findall(r"`([^`\n]+)`", record.read_text(encoding="utf-8"))
    top = {path.name for path in ROOT.iterdir()}
    paths = [name for name in quoted if "/" in name and name.partition("/")[0] in top]
    assert paths
    assert [name for name in paths if not list(ROOT.glob(name))] == []
