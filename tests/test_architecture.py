"""The shape of the code, kept by machine: who imports whom, how long a module is, what pure modules touch."""

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import grimp
import pytest

from tests.clocks import clock_reads

ROOT = Path(__file__).parents[1]
MAX_MODULE_LINES = 250
MAX_ADAPTER_LINES = 90
MAX_CONFTEST_LINES = 150
PACKAGES = (
    "shared", "postgres", "transport", "functions", "publisher_api", "local", "deploy", "doctor", "cost", "bench",
    "tests",
)  # fmt: skip
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
PURE_CORE = next(each for each in CONTRACTS if each["name"].startswith("the core is pure"))
PURE = [
    *PURE_CORE["source_modules"],
    "shared",
    "functions.runtime.attempt", "functions.runtime.deferral", "functions.runtime.ledger", "functions.runtime.provider",
    "functions.runtime.statuses", "transport.batches", "transport.rabbitmq_messages", "transport.rabbitmq_topology",
    "doctor.checks", "doctor.remedies", "doctor.topology", "cost.billed", "cost.model",
]  # fmt: skip
MAY_READ = {
    "publisher_api.planning.template_limits": {"time.thread_time"},  # limits the CPU time that a template takes
}


HANDS_ERRORS_ON = ("shared/gathering.py", "shared/threads.py")  # to the threads that wait for the result


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


def test_the_import_linter_refuses_a_contract_about_a_missing_module(tmp_path: Path) -> None:
    settings = tmp_path / "contracts.ini"
    settings.write_text(
        "[importlinter]\nroot_packages = shared\n[importlinter:contract:1]\nname = x\ntype = forbidden\n"
        "source_modules = shared.renamed\nforbidden_modules = shared.errors\n"
    )
    linter = Path(sys.executable).with_name("lint-imports")
    command: list[str | Path] = [linter, "--no-cache", "--config", settings]
    ended = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    assert ended.returncode != 0, "a contract must not pass because its module has another name"


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def covered(module: str, listed: list[str]) -> bool:
    """Whether a list of modules and packages names ``module`` or a package that contains it."""
    return any(f"{module}.".startswith(f"{each}.") for each in listed)


def is_called_pure(path: Path) -> bool:
    return re.search(r"\bPure[.:;]", ast.get_docstring(ast.parse(path.read_text())) or "") is not None


def test_contract_of_the_pure_core_lists_every_model_and_every_module_that_is_called_pure() -> None:
    publisher = [path for path in modules() if path.is_relative_to(ROOT / "publisher_api")]
    pure = [
        path for path in publisher if path.name == "model.py" or path.parent.name == "planning" or is_called_pure(path)
    ]
    assert len(pure) > 20
    assert [name for name in map(module_name, pure) if not covered(name, PURE_CORE["source_modules"])] == []


def test_every_module_that_is_called_pure_is_checked_for_clocks() -> None:
    called_pure = [module_name(path) for path in modules() if is_called_pure(path)]
    assert [name for name in called_pure if not covered(name, PURE)] == []


def test_every_store_is_protected_and_every_feature_is_layered() -> None:
    publisher = [path for path in modules() if path.is_relative_to(ROOT / "publisher_api")]
    stores = {module_name(path) for path in publisher if path.name == "store.py"}
    features = {module_name(path.parent) for path in publisher if path.name in ("routes.py", "service.py", "store.py")}
    protected = {module for each in CONTRACTS if each["type"] == "protected" for module in each["protected_modules"]}
    (layered,) = (each["containers"] for each in CONTRACTS if each["type"] == "layers")
    assert stores == protected
    assert features == set(layered)


def too_long(paths: list[Path], limit: int) -> list[tuple[str, int]]:
    lengths = [(named(path), len(path.read_text().splitlines())) for path in paths]
    return [(name, length) for name, length in lengths if length > limit]


def test_no_module_is_too_long() -> None:
    assert too_long(modules(), MAX_MODULE_LINES) == []


def test_no_conftest_is_too_long() -> None:
    assert too_long([path for path in modules() if path.name == "conftest.py"], MAX_CONFTEST_LINES) == []


def test_an_adapter_fits_a_page() -> None:
    adapters = [path for path in modules() if "-> Sent | Rejected:" in path.read_text() and "runtime" not in path.parts]
    adapters = [path for path in adapters if path.relative_to(ROOT).parts[0] == "functions"]
    assert adapters
    assert too_long(adapters, MAX_ADAPTER_LINES) == []


def source_of(module: str) -> Path:
    """The file of a module. Fails when there is none, so that a renamed module is not skipped."""
    path = ROOT / module.replace(".", "/")
    found = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    assert found.is_file(), f"{module} does not exist"
    return found


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("shared", "postgres", "transport", "functions", "publisher_api", "doctor", "cost")


@pytest.mark.parametrize("name", PURE)
def test_a_pure_module_reads_no_clock_not_even_by_what_it_imports(graph: grimp.ImportGraph, name: str) -> None:
    source_of(name)
    own = {name, *graph.find_descendants(name)}
    upstream = set().union(*(graph.find_upstream_modules(module) for module in own))
    reads = {
        module: clock_reads(source_of(module).read_text()) - MAY_READ.get(module, set()) for module in own | upstream
    }
    assert {module: clocks for module, clocks in reads.items() if clocks} == {}


@pytest.mark.parametrize("module", MAY_READ)
def test_every_exception_for_a_clock_is_needed(module: str) -> None:
    assert clock_reads(source_of(module).read_text()) == MAY_READ[module]


@pytest.mark.parametrize(
    ("source", "clock"),
    [
        ("import time\ntime.thread_time()", "time.thread_time"),
        ("import time as t\nfield(default_factory=t.process_time)", "time.process_time"),
        ("from time import time\ntime()", "time.time"),
        ("from time import time_ns as now_ns", "time.time_ns"),
        ("from time import *\nmonotonic()", "time.*"),
        ("def f():\n    from time import monotonic\n    return monotonic()", "time.monotonic"),
        ("from datetime import UTC, datetime\ndatetime.now(UTC)", "datetime.datetime.now"),
        ("from datetime import datetime as moment\nmap(moment.utcnow, [])", "datetime.datetime.utcnow"),
        ("import datetime as dt\ndt.date.today()", "datetime.date.today"),
        ("from shared import times\ntimes.now()", "shared.times.now"),
        ("class Moment(datetime): ...\nMoment.now()", ".Moment.now"),
        ("import email.utils\nemail.utils.formatdate()", "email.utils.formatdate"),
        ("from uuid import uuid1", "uuid.uuid1"),
    ],
)  # fmt: skip
def test_a_clock_is_found_by_whatever_name_it_is_read(source: str, clock: str) -> None:
    assert clock_reads(source) == {clock}


@pytest.mark.parametrize(
    "source",
    ["def f(now): return now", "import datetime\ndatetime.timedelta(1)", "from datetime import time\ntime(12)",
     "from datetime import datetime\ndatetime.fromisoformat('')", "request.time", "self.now + 1", "today = 1"],
)  # fmt: skip
def test_what_reads_no_clock_is_not_taken_for_one(source: str) -> None:
    assert clock_reads(source) == set()


def test_no_function_catches_every_error() -> None:
    catching_all = [
        f"{named(path)}:{node.lineno}"
        for path in modules()
        if path.relative_to(ROOT).parts[0] in ("functions", "shared") and named(path) not in HANDS_ERRORS_ON
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


def test_no_file_names_a_package_registry_or_a_path_of_one_machine() -> None:
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
def test_deployed_requirements_are_locked_with_hashes_and_without_urls(path: Path) -> None:
    requirements = [
        line for line in path.read_text().replace("\\\n", " ").splitlines() if not re.match(r"\s*(#|$)", line)
    ]
    assert requirements
    unlocked = [line for line in requirements if not re.match(r"[\w.\[\]-]+==\S+(?: ;[^#]*?)?\s+--hash=sha256:", line)]
    assert unlocked == []
    assert "://" not in path.read_text()
