"""Which Python `make` installs into .venv."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAKE = shutil.which("make") or "make"
CHOSEN = "chosen"
FAKE = f"""#!/bin/bash
[ "$1" = -c ] && exit {{status}}
[ "$1" = -V ] && echo "Python {{version}}" && exit
echo {CHOSEN} {{version}}
exit 1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the Makefile, the locks, and an empty folder for commands."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copytree(ROOT / "requirements", tmp_path / "requirements")
    (tmp_path / "bin").mkdir()
    return tmp_path


def add_python(path: Path, version: str, status: int = 0) -> None:
    """A command that reports ``version``, whose ``-c`` ends with ``status``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(FAKE.format(status=status, version=version))
    path.chmod(0o755)


def make(folder: Path, *arguments: str) -> str:
    """What ``make lint`` prints, where only the commands in ``bin`` are there."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHON"}
    environment |= {"PATH": str(folder / "bin"), "MAKEFLAGS": ""}
    done = subprocess.run(
        [MAKE, "lint", *arguments], cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode != 0
    return done.stdout + done.stderr


def test_newest_python_is_chosen(folder: Path) -> None:
    for version in ("3.11", "3.13", "3.12"):
        add_python(folder / "bin" / f"python{version}", version)
    assert f"{CHOSEN} 3.13" in make(folder)


def test_python_that_a_version_manager_does_not_run_is_passed_over(folder: Path) -> None:
    add_python(folder / "bin" / "python3.13", "3.13", status=127)
    add_python(folder / "bin" / "python3.12", "3.12")
    assert f"{CHOSEN} 3.12" in make(folder)


def test_python_can_be_chosen(folder: Path) -> None:
    add_python(folder / "bin" / "python3.13", "3.13")
    add_python(folder / "other" / "python", "3.14")
    assert f"{CHOSEN} 3.14" in make(folder, f"PYTHON={folder}/other/python")


def test_missing_python_is_explained(folder: Path) -> None:
    printed = make(folder)
    assert "No Python 3.11 or newer runs here as any of: python3.14 python3.13 python3.12 python3.11." in printed
    assert CHOSEN not in printed


def test_python_that_is_too_old_is_explained(folder: Path) -> None:
    add_python(folder / "old", "3.10", status=1)
    assert f"No Python 3.11 or newer runs here as {folder}/old." in make(folder, f"PYTHON={folder}/old")


def test_chosen_python_that_differs_from_the_one_in_use_is_explained(folder: Path) -> None:
    add_python(folder / ".venv" / "bin" / "python", "3.12.1")
    add_python(folder / "other", "3.13.0")
    printed = make(folder, f"PYTHON={folder}/other")
    assert f".venv has Python 3.12.1, and PYTHON={folder}/other is Python 3.13.0. Run make clean first." in printed


def test_python_in_use_stays_when_a_newer_one_is_there(folder: Path) -> None:
    add_python(folder / ".venv" / "bin" / "python", "3.12.1")
    add_python(folder / "bin" / "python3.13", "3.13.0")
    assert "Run make clean first" not in make(folder)
