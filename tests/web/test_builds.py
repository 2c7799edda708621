"""web/: the built files, which are committed because they are served without Node, and the packages that build them."""

import gzip
import json
import re
from pathlib import Path

import pytest

from tests.node_packages import COMPONENT, DEMO, copied, run

SDK_LIMIT = 150_000

each_folder = pytest.mark.parametrize("folder", [COMPONENT, DEMO], ids=lambda folder: folder.name)


def files_in(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


@each_folder
def test_committed_files_are_what_the_sources_build(folder: Path, tmp_path: Path) -> None:
    copy = copied(folder, tmp_path)
    run(copy, "npm", "run", "build")
    built, committed = files_in(copy / "dist"), files_in(folder / "dist")
    assert sorted(built) == sorted(committed)
    differing = [name for name, content in built.items() if content != committed[name]]
    assert differing == [], f"Run `npm ci && npm run build` in web/{folder.name}, and commit dist."


@each_folder
def test_packages_are_locked_by_hash_and_without_a_registry(folder: Path) -> None:
    lock = json.loads((folder / "package-lock.json").read_text())
    packages = {name: package for name, package in lock["packages"].items() if name}
    assert [name for name, package in packages.items() if "integrity" not in package or "resolved" in package] == []
    pinned = json.loads((folder / "package.json").read_text())["devDependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in pinned.values())


def test_sdk_of_the_demo_page_is_small() -> None:
    bundle = (DEMO / "dist" / "firestore.js").read_bytes()
    assert len(gzip.compress(bundle, mtime=0)) <= SDK_LIMIT


def test_sdk_of_the_demo_page_comes_with_the_licence_of_each_package() -> None:
    licences = (DEMO / "dist" / "LICENSES.txt").read_text()
    named = dict(re.findall(r"^(\S+) [\d.]+ \(([\w.-]+)\)$", licences, re.MULTILINE))
    lock = json.loads((DEMO / "package-lock.json").read_text())["packages"]
    assert {"firebase", "@firebase/firestore", "@firebase/webchannel-wrapper"} <= named.keys()
    assert named == {name: lock[f"node_modules/{name}"]["license"] for name in named}
    assert "Apache License" in licences
    assert licences.count("Copyright (c)") == sum(licence != "Apache-2.0" for licence in named.values())
