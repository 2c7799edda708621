"""``make wheels``: check that every locked package has a wheel for each Python and system that Heliograph runs on.

Without a wheel, the installation compiles the package, which needs a compiler and takes minutes. Asks the registry that
uv is configured to use.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
INTEL_MAC = "x86_64-apple-darwin"
SYSTEMS = ("x86_64-manylinux_2_28", "aarch64-manylinux_2_28", "aarch64-apple-darwin", INTEL_MAC)
KNOWN = {
    # Its releases from 49 on have none. Older ones get no security fixes, so it is compiled there, with Rust.
    ("cryptography", INTEL_MAC),
}
"""Packages without a wheel for a system, for any Python."""
_UV = Path(sys.executable).with_name("uv")


class Target(NamedTuple):
    """A version of Python, and a system as uv names it."""

    python: str
    system: str


Installable = Callable[[Sequence[str], Target], bool]
"""Whether all of these requirements have wheels for the target."""


def pins(lock: str) -> dict[str, str]:
    r"""The requirements of a lock by the name of their package, without hashes.

    >>> pins("a==1 ; sys_platform == 'win32' \\\n    --hash=sha256:0\n    # via b\n")
    {'a': "a==1 ; sys_platform == 'win32'"}
    """
    lines = re.findall(r"^[A-Za-z0-9].*?(?= \\$|$)", lock, re.MULTILINE)
    return {line.partition("==")[0].partition("[")[0]: line for line in lines}


def faults(locked: dict[str, str], installable: Installable) -> list[str]:
    """A sentence for each wheel that is missing and not known, and for each known one that is there."""
    found = []
    for target in (Target(python, system) for python in PYTHONS for system in SYSTEMS):
        known = [name for name, system in KNOWN if system == target.system and name in locked]
        rest = {name: line for name, line in locked.items() if name not in known}
        where = f"for Python {target.python} on {target.system}"
        if not installable(list(rest.values()), target):
            found += [f"{rest[name]} has no wheel {where}." for name in _without_wheel(rest, target, installable)]
        found += [
            f"{locked[name]} has a wheel {where}: remove it from KNOWN."
            for name in known
            if installable([locked[name]], target)
        ]
    return found


def _without_wheel(locked: dict[str, str], target: Target, installable: Installable) -> list[str]:
    with ThreadPoolExecutor(4) as threads:
        has_wheel = threads.map(lambda line: installable([line], target), locked.values())
    return [name for name, has in zip(locked, has_wheel, strict=True) if not has]


def _installable(requirements: Sequence[str], target: Target) -> bool:
    options = ["--quiet", "--no-deps", "--only-binary=:all:", "--python-version", target.python]
    done = subprocess.run(  # noqa: S603 - the project's own tool
        [_UV, "pip", "compile", *options, "--python-platform", target.system, "-"],
        input="\n".join(requirements),
        text=True,
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def main() -> None:
    locked: dict[str, str] = {}
    for path in [*ROOT.glob("requirements/*.txt"), *ROOT.glob("functions/*/requirements.txt")]:
        locked |= pins(path.read_text(encoding="utf-8"))
    if found := faults(locked, _installable):
        sys.exit("\n".join(found))
    exceptions = ", ".join(f"{name} on {system}" for name, system in sorted(KNOWN))
    print(f"{len(locked)} packages have wheels for Python {', '.join(PYTHONS)} on {', '.join(SYSTEMS)}.")
    print(f"Known exceptions: {exceptions}.")


if __name__ == "__main__":
    main()
