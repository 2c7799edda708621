"""The shape of the code, kept by machine: who imports whom, how long a module is, what pure modules touch."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST_MODULE = 250
LONGEST_ADAPTER = 90
LONGEST_CONFTEST = 150
PACKAGES = ("shared", "functions", "publisher_api", "local", "doctor", "bench", "tests")
PURE = [
    "doctor/checks/clocks.py",
    "doctor/checks/database.py",
    "doctor/checks/functions.py",
    "doctor/checks/publisher.py",
    "doctor/checks/rules.py",
    "doctor/checks/topology.py",
    "doctor/mending.py",
    "doctor/topology.py",
    "shared/attributes.py",
    "shared/channels.py",
    "shared/content.py",
    "shared/envelope.py",
    "shared/errors.py",
    "shared/outcomes.py",
    "shared/recipients.py",
    "functions/runtime/attempt.py",
    "functions/runtime/provider.py",
    "functions/runtime/statuses.py",
    "publisher_api/accept/plan.py",
]
MAY_BE_IMPORTED_BY_PURE_MODULES = {
    "collections", "dataclasses", "datetime", "difflib", "doctor", "enum", "functions", "functools", "itertools",
    "math", "msgspec", "operator", "pathlib", "publisher_api", "re", "shared", "typing", "zoneinfo",
}  # fmt: skip
CLOCKS = {"now", "utcnow", "today", "time", "monotonic", "perf_counter"}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout  # noqa: S607 - git is found like any developer's
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


def modules() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in PACKAGES]


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_imports_point_one_way() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    ended = subprocess.run([linter, "--no-cache"], cwd=ROOT, check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout


def too_long(paths: list[Path], limit: int) -> list[tuple[str, int]]:
    lengths = [(named(path), len(path.read_text().splitlines())) for path in paths]
    return [(name, length) for name, length in lengths if length > limit]


def test_no_module_is_too_long() -> None:
    assert too_long(modules(), LONGEST_MODULE) == []


def test_no_conftest_is_too_long() -> None:
    assert too_long([path for path in modules() if path.name == "conftest.py"], LONGEST_CONFTEST) == []


def test_an_adapter_fits_a_page() -> None:
    adapters = [path for path in modules() if "-> Sent | Rejected:" in path.read_text() and "runtime" not in path.parts]
    adapters = [path for path in adapters if path.relative_to(ROOT).parts[0] == "functions"]
    assert adapters
    assert too_long(adapters, LONGEST_ADAPTER) == []


@pytest.mark.parametrize("name", [name for name in PURE if (ROOT / name).exists()])
def test_a_pure_module_touches_no_clock_environment_network_or_sdk(name: str) -> None:
    tree = ast.parse((ROOT / name).read_text())
    imported = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                imported |= {alias.name.partition(".")[0] for alias in names}
            case ast.ImportFrom(module=str(module)):
                imported.add(module.partition(".")[0])
    assert imported <= MAY_BE_IMPORTED_BY_PURE_MODULES
    called = {
        node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    assert not called & CLOCKS, "the time is an argument"


def test_no_provider_is_called_in_the_hope_that_nothing_happens() -> None:
    catching_all = [
        f"{named(path)}:{node.lineno}"
        for path in modules()
        if path.relative_to(ROOT).parts[0] in ("functions", "shared")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
        and ast.unparse(node.body[-1]) != "raise"
    ]
    assert catching_all == []


FOREIGN = re.compile(
    r"(?:files\.|test\.)?pypi\.(?:org|python)|pythonhosted|registry\.npmjs|registry\.terraform|proxy\.golang"
    r"|--(?:extra-)?index-url|(?<![\w.])/(?:home|root|Users|work)/"
)


def test_no_tracked_file_names_a_package_registry_or_a_place_on_one_machine() -> None:
    found = []
    for path in tracked():
        if path == Path(__file__):
            continue
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue
        found += [f"{named(path)}: {match.group()}" for match in FOREIGN.finditer(text)]
    assert found == []


DEPLOYED = sorted([*ROOT.glob("functions/*/requirements.txt"), ROOT / "requirements" / "publisher.txt"])


@pytest.mark.parametrize("path", DEPLOYED, ids=named)
def test_what_is_deployed_is_locked_with_hashes_and_comes_from_no_url(path: Path) -> None:
    requirements = [
        line for line in path.read_text().replace("\\\n", " ").splitlines() if not re.match(r"\s*(#|$)", line)
    ]
    assert requirements
    unlocked = [line for line in requirements if not re.match(r"[\w.\[\]-]+==\S+(?: ;[^#]*?)?\s+--hash=sha256:", line)]
    assert unlocked == []
    assert "://" not in path.read_text()
