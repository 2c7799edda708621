"""The packages of web/inbox from npm, and Node. Tests that need them are skipped where they are not available."""

import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import pytest

COMPONENT = Path(__file__).parents[1] / "web" / "inbox"
INSTALL_S = 100


def node_modules() -> Path:
    """The installed packages. If the checkout has none, they are installed once per session, outside of it."""
    found = _installed()
    if isinstance(found, str):
        pytest.skip(found)
    return found


@cache
def _installed() -> Path | str:
    """Where the packages are, or why they are missing."""
    if shutil.which("npm") is None:
        return "Node and npm are not on the PATH."
    own = COMPONENT / "node_modules"
    if (own / ".package-lock.json").is_file():
        return own
    into = Path(tempfile.mkdtemp(prefix="heliograph-inbox-"))
    for name in ("package.json", "package-lock.json", ".npmrc"):
        shutil.copy(COMPONENT / name, into)
    command = ["npm", "ci", "--prefer-offline", "--fetch-retries=0", "--fetch-timeout=30000"]
    try:
        ended = subprocess.run(command, cwd=into, check=False, capture_output=True, text=True, timeout=INSTALL_S)
    except subprocess.TimeoutExpired:
        return f"npm ci did not end within {INSTALL_S} s."
    return into / "node_modules" if ended.returncode == 0 else f"npm ci failed: {ended.stderr.strip()[-300:]}"
