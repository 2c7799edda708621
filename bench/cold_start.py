"""``python -m bench.cold_start``: measures the start of each function's bundle, and its first message.

Each bundle is unpacked into an empty folder and served by the functions-framework, one after another. The baseline is a
function that does nothing. ``ready`` is the time from the start of Python until the port responds, which is what the
platform waits for. ``cpu`` is the CPU time in it, which depends less on the load of the machine. ``first`` is the time
of the first push, in which the function creates its clients; the push is malformed, so nothing leaves the machine.
``memory`` is what the processes hold afterwards, with shared pages counted once.
"""

import json
import os
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from bench.fixtures import progress
from deploy import bundle
from local.config import StackConfig
from local.processes import Child, answers, free_port
from shared.topology import FUNCTIONS

_ROUNDS = 3
_READY_SECONDS = 60.0
_NOT_FOUND = 404
_BAD_REQUEST = 400
_BASELINE = "baseline"
_BASELINE_SOURCE = '''\
"""A function that does nothing."""

import functions_framework


@functions_framework.http
def baseline(request):
    return "", 400
'''


@dataclass(frozen=True, slots=True)
class Start:
    """The measurements of one start, in seconds and MiB."""

    ready: float
    cpu: float
    first: float
    memory: float


def main() -> None:
    names = (_BASELINE, *FUNCTIONS)
    starts: dict[str, list[Start]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as directory:
        state = Path(directory)
        config = StackConfig(state, database_url="")
        config.write_credentials_file()
        _unpack(state)
        # Every round starts every function, so that a slow minute of the machine affects all of them.
        for number in range(_ROUNDS + 1):
            for name in names:
                progress(f"round {number} of {_ROUNDS}: {name}" if number else f"compiling: {name}")
                start = _start(name, config)
                if number:  # round 0 compiles the modules, which a deployed image already has compiled
                    starts[name].append(start)
    progress("")
    _report({name: _median(each) for name, each in starts.items()})


def _unpack(state: Path) -> None:
    for name in FUNCTIONS:
        with zipfile.ZipFile(bundle.build(name, state).path) as archive:
            archive.extractall(state / name)
    (state / _BASELINE).mkdir()
    (state / _BASELINE / "main.py").write_text(_BASELINE_SOURCE)


def _start(name: str, config: StackConfig) -> Start:
    folder, port = config.state / name, free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(Path(sys.executable).with_name("functions-framework")), f"--target={name}", f"--port={port}"]
    environment = (config.environment(name) if name in FUNCTIONS else dict(os.environ)) | {"PORT": str(port)}
    began = time.monotonic()
    child = Child.start(
        name,
        [*command, f"--source={folder / 'main.py'}", "--host=127.0.0.1"],
        log=config.state / f"{name}.log",
        env=environment,
    )
    try:
        # The framework itself responds 404 to this path, so the function is not called yet.
        child.wait_ready(lambda: answers(f"{url}/robots.txt", _NOT_FOUND), _READY_SECONDS)
        ready = time.monotonic()
        cpu = sum(map(_cpu_seconds, _process_tree(child.process.pid)))
        response = httpx.post(url, content=b"{}", timeout=_READY_SECONDS)
        first = time.monotonic()
        if response.status_code != _BAD_REQUEST:
            message = f"Function {name} responded {response.status_code}, not {_BAD_REQUEST}:\n{child.tail()}"
            raise RuntimeError(message)
        return Start(ready - began, cpu, first - ready, sum(map(_proportional_mib, _process_tree(child.process.pid))))
    finally:
        child.stop()


def _process_tree(pid: int) -> Iterator[int]:
    """The process and all processes that it started: the server has a master and a worker."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _process_tree(int(child))


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # user time and system time


def _proportional_mib(pid: int) -> float:
    """Resident memory. A page that n processes share counts as 1/n."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("Pss:")).split()[1]) / 1024


def _median(starts: list[Start]) -> Start:
    return Start(
        ready=statistics.median(start.ready for start in starts),
        cpu=statistics.median(start.cpu for start in starts),
        first=statistics.median(start.first for start in starts),
        memory=statistics.median(start.memory for start in starts),
    )


def _report(medians: dict[str, Start]) -> None:
    baseline = medians[_BASELINE]
    print(f"{'':12} {'ready s':>8} {'cpu s':>6} {'first s':>8} {'memory MiB':>11}   over baseline: ready, cpu, memory")
    over_baseline: dict[str, dict[str, float]] = {}
    for name, start in medians.items():
        ratios = {key: round(getattr(start, key) / getattr(baseline, key), 2) for key in ("ready", "cpu", "memory")}
        columns = " ".join(f"{ratio:6.2f}" for ratio in ratios.values())
        print(f"{name:12} {start.ready:8.2f} {start.cpu:6.2f} {start.first:8.2f} {start.memory:11.0f} {columns:>33}")
        if name != _BASELINE:
            over_baseline[name] = ratios
    print(json.dumps({"bench": "cold_start", "over_baseline": over_baseline}))


if __name__ == "__main__":
    main()
