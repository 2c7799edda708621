"""``python -m deploy.functions``: write the publisher to ``dist/functions`` in the layout of DigitalOcean Functions.

Each function of ``publisher_api/project.yml`` becomes a folder with its entry point, the code of the container, and the
script with which DigitalOcean installs the locked requirements.
"""

import shutil
import stat
from pathlib import Path

ROOT = Path(__file__).parents[1]
TARGET = ROOT / "dist" / "functions"
CODE = ("postgres", "publisher_api", "shared", "transport")
PACKAGE = "publisher"

ENTRY_POINTS = {
    "api": 'from publisher_api.main import main\n\n__all__ = ["main"]\n',
    "sweep": 'from publisher_api.main import sweep as main\n\n__all__ = ["main"]\n',
}
# DigitalOcean's Python runtime expects this layout. Only wheels are installed, and pip checks the hash of each.
_BUILD = """#!/bin/bash
set -euo pipefail
virtualenv --without-pip virtualenv
pip install --require-hashes --only-binary=:all: -r requirements.txt --target virtualenv/lib/python3.*/site-packages
"""


def build(target: Path = TARGET, root: Path = ROOT) -> list[Path]:
    """Replace ``target``. Returns the folders of the functions."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    shutil.copy(root / "publisher_api" / "project.yml", target)
    return [_function(target / "packages" / PACKAGE / name, entry, root) for name, entry in ENTRY_POINTS.items()]


def _function(folder: Path, entry_point: str, root: Path) -> Path:
    folder.mkdir(parents=True)
    for package in CODE:
        ignored = shutil.ignore_patterns("__pycache__", "project.yml")
        shutil.copytree(root / package, folder / package, ignore=ignored)
    shutil.copy(root / "requirements" / "publisher.txt", folder / "requirements.txt")
    (folder / "__main__.py").write_text(entry_point, encoding="utf-8")
    script = folder / "build.sh"
    script.write_text(_BUILD, encoding="utf-8")
    script.chmod(script.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    return folder


def main() -> None:
    for folder in build():
        print(folder.relative_to(ROOT))
    print("\nDeploy with the publisher's settings in the environment (docs/operations.md):")
    print("  doctl serverless deploy dist/functions --remote-build")


if __name__ == "__main__":
    main()
