"""web/inbox: its unit tests, and its built files, which are committed because they are served without Node."""

import gzip
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.node_packages import COMPONENT, node_modules

DIST = COMPONENT / "dist"
PACKAGE: dict[str, Any] = json.loads((COMPONENT / "package.json").read_text())
SHELL_LIMIT = 12_000
OPEN_PANEL_LIMIT = 50_000


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The component's sources without its built files, with the packages that build them."""
    packages = node_modules()
    into = tmp_path_factory.mktemp("web") / "inbox"
    shutil.copytree(COMPONENT, into, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (into / "node_modules").symlink_to(packages)
    return into


def run(directory: Path, *command: str) -> str:
    ended = subprocess.run(command, cwd=directory, check=False, capture_output=True, text=True, timeout=100)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def files_in(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def test_committed_files_are_what_the_sources_build(copy: Path) -> None:
    run(copy, "npm", "run", "build")
    built, committed = files_in(copy / "dist"), files_in(DIST)
    assert sorted(built) == sorted(committed)
    differing = [name for name, content in built.items() if content != committed[name]]
    assert differing == [], "Run `npm ci && npm run build` in web/inbox, and commit dist."


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


def test_packages_are_locked_by_hash_and_without_a_registry() -> None:
    lock = json.loads((COMPONENT / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert [name for name, package in packages.items() if "integrity" not in package or "resolved" in package] == []
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in PACKAGE["devDependencies"].values())
    assert "dependencies" not in PACKAGE
