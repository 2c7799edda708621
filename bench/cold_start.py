"""``python -m bench.cold_start``: what each function's bundle costs before its first message.

Each is unpacked in an empty folder and served by the functions-framework in processes of its own, one after another;
beside them a function that does nothing. ``ready``: from starting Python until the port answers, which is what the
platform waits for, and ``cpu``: the processor's part of that, which a busy machine distorts less. ``first``: the first
push, in which the clients are made (it is not one that can be read, so nothing leaves the machine). ``memory``: what
the processes hold after that, shared pages counted once.
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

from bench.whole import progress
from local import bundle
from local.layout import Layout
from local.processes import Child, answers, free_port

_ROUNDS = 3
_READY_SECONDS = 60.0
_NOT_FOUND = 404
_UNREADABLE = 400
_BARE = "bare"
_BARE_SOURCE = '''\
"""A function that does nothing."""

import functions_framework


@functions_framework.http
def bare(request):
    return "", 400
'''


@dataclass(frozen=True, slots=True)
class Start:
    """One start; seconds and MiB."""

    ready: float
    cpu: float
    first: float
    memory: float


def main() -> None:
    names = (_BARE, *bundle.FUNCTIONS)
    starts: dict[str, list[Start]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as directory:
        state = Path(directory)
        layout = Layout(state, database_url="")
        layout.write_credentials_file()
        _unpack(state)
        # Round by round, so that a slow minute of the machine falls on all of them.
        for number in range(_ROUNDS + 1):
            for name in names:
                progress(f"round {number} of {_ROUNDS}: {name}" if number else f"compiling: {name}")
                start = _start(name, layout)
                if number:  # an image holds compiled modules; the first round makes them here
                    starts[name].append(start)
    progress("")
    _report({name: _median(each) for name, each in starts.items()})


def _unpack(state: Path) -> None:
    for name in bundle.FUNCTIONS:
        with zipfile.ZipFile(bundle.build(name, state).path) as archive:
            archive.extractall(state / name)
    (state / _BARE).mkdir()
    (state / _BARE / "main.py").write_text(_BARE_SOURCE)


def _start(name: str, layout: Layout) -> Start:
    folder, port = layout.state / name, free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(Path(sys.executable).with_name("functions-framework")), f"--target={name}", f"--port={port}"]
    environment = layout.environment(name) | {"PORT": str(port)}
    began = time.monotonic()
    child = Child.start(
        name,
        [*command, f"--source={folder / 'main.py'}", "--host=127.0.0.1"],
        log=layout.state / f"{name}.log",
        env=environment,
    )
    try:
        # The framework itself refuses this path, so the function is not called yet.
        child.wait_ready(lambda: answers(f"{url}/robots.txt", _NOT_FOUND), _READY_SECONDS)
        ready = time.monotonic()
        cpu = sum(map(_cpu_seconds, _family(child.process.pid)))
        answer = httpx.post(url, content=b"{}", timeout=_READY_SECONDS)
        first = time.monotonic()
        if answer.status_code != _UNREADABLE:
            message = f"{name} answered {answer.status_code}:\n{child.tail()}"
            raise RuntimeError(message)
        return Start(ready - began, cpu, first - ready, sum(map(_proportional_mib, _family(child.process.pid))))
    finally:
        child.stop()


def _family(pid: int) -> Iterator[int]:
    """The process and those it started: the server has a master and a worker."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            yield from _family(int(child))


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # in its own code, and in the kernel


def _proportional_mib(pid: int) -> float:
    """Resident memory, of pages that are shared only the share."""
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
    bare = medians[_BARE]
    print(f"{'':12} {'ready s':>8} {'cpu s':>6} {'first s':>8} {'memory MiB':>11}   over bare: ready, cpu, memory")
    over_bare: dict[str, dict[str, float]] = {}
    for name, start in medians.items():
        ratios = {key: round(getattr(start, key) / getattr(bare, key), 2) for key in ("ready", "cpu", "memory")}
        told = " ".join(f"{ratio:6.2f}" for ratio in ratios.values())
        print(f"{name:12} {start.ready:8.2f} {start.cpu:6.2f} {start.first:8.2f} {start.memory:11.0f} {told:>29}")
        if name != _BARE:
            over_bare[name] = ratios
    print(json.dumps({"bench": "cold_start", "over_bare": over_bare}))


if __name__ == "__main__":
    main()
