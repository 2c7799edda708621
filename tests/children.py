"""Runs a program of ours during a test."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager


@contextmanager
def running(
    command: Sequence[str], environment: Mapping[str, str], errors: int = subprocess.PIPE
) -> Iterator["subprocess.Popen[str]"]:
    """A process whose output the test reads. It is killed when the block ends. ``errors``: as Popen's ``stderr``."""
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
        try:
            yield process
        finally:
            process.kill()
