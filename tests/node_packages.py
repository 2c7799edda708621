"""The folders of web/, with their packages from npm. Tests that need these are skipped where they are not available."""

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

COMPONENT = Path(__file__).parents[1] / "web" / "inbox"
DEMO = COMPONENT.with_name("demo")
INSTALL_S = 100


def node_modules(folder: Path = COMPONENT) -> Path:
    """The installed packages. If the checkout has none, they are installed once per session, outside of it."""
    found = _installed(folder)
    if isinstance(found, str):
        pytest.skip(found)
    return found


@cache
def _installed(folder: Path) -> Path | str:
    """Where the packages are, or why they are missing."""
    if shutil.which("npm") is None:
        return "Node and npm are not on the PATH."
    own = folder / "node_modules"
    if (own / ".package-lock.json").is_file():
        return own
    into = Path(tempfile.mkdtemp(prefix=f"heliograph-{folder.name}-"))
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(folder / name, into)
    command = ["npm", "ci", "--prefer-offline", "--fetch-retries=0", "--fetch-timeout=30000"]
    try:
        ended = subprocess.run(command, cwd=into, check=False, capture_output=True, text=True, timeout=INSTALL_S)
    except subprocess.TimeoutExpired:
        return f"npm ci did not end within {INSTALL_S} s."
    return into / "node_modules" if ended.returncode == 0 else f"npm ci failed: {ended.stderr.strip()[-300:]}"


def copied(folder: Path, into: Path) -> Path:
    """A copy of the sources without the built files, with the packages that build them."""
    packages = node_modules(folder)
    copy = into / folder.name
    shutil.copytree(folder, copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (copy / "node_modules").symlink_to(packages)
    return copy


def run(directory: Path, *command: str) -> str:
    """The output of a command, which must succeed."""
    ended = subprocess.run(command, cwd=directory, check=False, capture_output=True, text=True, timeout=100)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
