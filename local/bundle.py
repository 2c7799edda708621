"""One zip a function, as it is deployed: ``make bundle``.

A bundle holds ``main.py`` (the channel's own, where the platform looks for it), ``requirements.txt``, the channel's
package, ``functions/runtime`` and ``shared``. The same input gives the same bytes on every machine: names are sorted,
times are fixed, and nothing is compressed, since compressed bytes differ from one zlib to the next. The digest
therefore says whether a deployment would change anything.
"""

import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.topology import FUNCTIONS

ROOT = Path(__file__).parents[1]
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
_FILE_MODE = 0o100644
_MODULES = (
    "functions/__init__.py",
    "functions/wiring.py",
    "transport/__init__.py",
    "transport/port.py",
    "transport/pubsub.py",
)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A built bundle; ``sha256`` is of its bytes."""

    function: str
    path: Path
    size: int
    sha256: str


def contents(function: str, root: Path = ROOT) -> Mapping[str, bytes]:
    """What the bundle of ``function`` holds: bytes by name, sorted."""
    folder = root / "functions" / function
    found = {
        "main.py": folder / "main.py",
        "requirements.txt": folder / "requirements.txt",
    }
    for name in _MODULES:
        found[name] = root / name
    for package in (folder, root / "functions" / "runtime", root / "functions" / "google", root / "shared"):
        found |= {path.relative_to(root).as_posix(): path for path in _sources(package) if path != folder / "main.py"}
    return {name: found[name].read_bytes() for name in sorted(found)}


def build(function: str, into: Path, root: Path = ROOT) -> Bundle:
    """Write ``<function>.zip`` into the folder ``into``."""
    into.mkdir(parents=True, exist_ok=True)
    path = into / f"{function}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in contents(function, root).items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = 3  # Unix, wherever it is built
            entry.external_attr = _FILE_MODE << 16
            archive.writestr(entry, data)
    data = path.read_bytes()
    return Bundle(function, path, len(data), hashlib.sha256(data).hexdigest())


def main() -> None:
    """Build all, and print a table."""
    for function in FUNCTIONS:
        bundle = build(function, ROOT / "dist")
        print(f"{function:<12} {bundle.size:>8} bytes  sha256 {bundle.sha256}  {bundle.path.relative_to(ROOT)}")


def _sources(package: Path) -> Iterator[Path]:
    yield from package.glob("*.py")
    yield from package.glob("*.json")


if __name__ == "__main__":
    main()
