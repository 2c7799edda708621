"""web/inbox: its unit tests, and what its package contains."""

import gzip
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.node_packages import COMPONENT, copied, run

DIST = COMPONENT / "dist"
PACKAGE: dict[str, Any] = json.loads((COMPONENT / "package.json").read_text())
SHELL_LIMIT = 12_000
OPEN_PANEL_LIMIT = 50_000


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copied(COMPONENT, tmp_path_factory.mktemp("web"))


def test_unit_tests_of_the_component_pass(copy: Path) -> None:
    assert re.search(r"^. fail 0$", run(copy, "npm", "test"), re.MULTILINE)


def imported(name: str, *, lazily: bool) -> Iterator[str]:
    """The built files that ``name`` loads, itself included; with ``lazily`` also those that it loads when needed."""
    yield name
    text = (DIST / name).read_text()
    pattern = r'(?:from|import)\s*"\./([^"]+)"' + (r'|import\("\./([^"]+)"\)' if lazily else "")
    for match in re.finditer(pattern, text):
        yield from imported(match[1] or match[2], lazily=lazily)


def gzipped(names: set[str]) -> int:
    return sum(len(gzip.compress((DIST / name).read_bytes(), mtime=0)) for name in names)


def test_shell_is_small() -> None:
    shell = set(imported("index.js", lazily=False))
    assert "panel.js" not in shell
    assert gzipped(shell) <= SHELL_LIMIT


def test_open_panel_is_small_and_contains_no_firestore() -> None:
    everything = set(imported("index.js", lazily=True))
    assert "panel.js" in everything
    assert gzipped(everything) <= OPEN_PANEL_LIMIT
    assert not any("firebase" in (DIST / name).read_text() for name in everything)


def test_built_files_load_nothing_from_another_host() -> None:
    hosts = {host for path in DIST.rglob("*.js") for host in re.findall(r"https?://[\w.-]+", path.read_text())}
    assert hosts == {"http://www.w3.org"}, "the namespace of SVG is the only address"


def test_package_contains_what_it_exports(copy: Path) -> None:
    shutil.copytree(DIST, copy / "dist", dirs_exist_ok=True)
    (packed,) = json.loads(run(copy, "npm", "pack", "--dry-run", "--json", "--ignore-scripts"))
    contained = {f"./{file['path']}" for file in packed["files"]}
    exported = {
        path
        for target in PACKAGE["exports"].values()
        for path in ([target] if isinstance(target, str) else target.values())
    }
    assert exported - contained == set()
    assert not any(path.startswith(("./src/", "./test/", "./node_modules/")) for path in contained)


def test_every_export_exists() -> None:
    paths = [
        path
        for target in PACKAGE["exports"].values()
        for path in ([target] if isinstance(target, str) else target.values())
    ]
    assert [path for path in paths if not (COMPONENT / path).is_file()] == []


def test_component_needs_no_package() -> None:
    assert "dependencies" not in PACKAGE
