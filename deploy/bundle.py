"""Builds one zip for each function, as it is deployed: ``make bundle``.

A bundle holds ``main.py`` (the function's own, in the place where the platform looks for it), ``requirements.txt``, the
function's package, the parts of ``functions`` and ``transport`` that the google profile needs, and ``shared``. The same
input gives the same bytes on every machine: names are sorted, times are fixed, and nothing is compressed, because
compressed bytes differ between versions of zlib. The digest therefore shows whether a deployment would change anything.
"""

import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from shared.topology import FUNCTIONS

ROOT = Path(__file__).parents[1]
_FILES = (
    "functions/__init__.py",
    "functions/profile.py",
    "functions/wiring.py",
    "transport/__init__.py",
    "transport/port.py",
    "transport/pubsub.py",
    "transport/verdict.py",
)
_PACKAGES = ("functions/google", "functions/runtime", "shared")
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
_FILE_MODE = 0o100644
_UNIX = 3


@dataclass(frozen=True, slots=True)
class Bundle:
    """A built bundle; ``sha256`` is of its bytes."""

    function: str
    path: Path
    size: int
    sha256: str


def contents(function: str, root: Path = ROOT) -> Mapping[str, bytes]:
    """The bundle of ``function``: bytes by name, sorted. Raises ``FileNotFoundError`` for a missing file or package."""
    package = f"functions/{function}"
    sources = {
        "main.py": root / package / "main.py",
        "requirements.txt": root / package / "requirements.txt",
        **{name: root / name for name in _FILES},
    }
    for folder in (package, *_PACKAGES):
        sources |= {path.relative_to(root).as_posix(): path for path in _sources(root / folder)}
    sources.pop(f"{package}/main.py", None)
    return {name: sources[name].read_bytes() for name in sorted(sources)}


def build(function: str, into: Path, root: Path = ROOT) -> Bundle:
    """Write ``<function>.zip`` into the folder ``into``."""
    into.mkdir(parents=True, exist_ok=True)
    path = into / f"{function}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, data in contents(function, root).items():
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system = _UNIX  # on every system, for the same bytes
            entry.external_attr = _FILE_MODE << 16
            archive.writestr(entry, data)
    data = path.read_bytes()
    return Bundle(function, path, len(data), hashlib.sha256(data).hexdigest())


def main() -> None:
    """Build all bundles into ``dist`` and print a table of them."""
    for function in FUNCTIONS:
        bundle = build(function, ROOT / "dist")
        print(f"{function:<12} {bundle.size:>8} bytes  sha256 {bundle.sha256}  {bundle.path.relative_to(ROOT)}")


def _sources(package: Path) -> Iterator[Path]:
    """The modules and data files of ``package``. Raises ``FileNotFoundError`` when it is not a package."""
    if not (package / "__init__.py").is_file():
        message = f"Package {package} has no __init__.py, so it cannot be bundled."
        raise FileNotFoundError(message)
    yield from package.glob("*.py")
    yield from package.glob("*.json")


if __name__ == "__main__":
    main()
