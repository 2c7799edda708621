"""Starts another program that the kernel ends when our parent process ends.

Run it by path, with `python -I -S`, as the first program of a child process. It asks the kernel to signal this process
when the parent dies, changes to another user if a UID is given, and then replaces itself with the program. This is a
separate program and not a `preexec_fn`, because forking a process that runs gRPC's threads is unsafe, and starting a
new program is safe.

    launch.py PARENT_PID SIGNAL UID PROGRAM [ARGUMENT …]      (UID -1: keep the current user)
"""

import ctypes
import os
import pwd
import sys

_PR_SET_PDEATHSIG = 1


def _end_with_parent(parent: int, signal: int) -> None:
    if sys.platform != "linux":  # other systems have no such call; there, the parent's cleanup ends the program
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal)
    if os.getppid() != parent:  # the parent died before prctl()
        sys.exit(1)


def main(arguments: list[str]) -> None:
    parent, signal, uid = (int(argument) for argument in arguments[:3])
    program = arguments[3:]
    if uid >= 0:
        os.setgroups([])
        os.setgid(pwd.getpwuid(uid).pw_gid)
        os.setuid(uid)
    _end_with_parent(parent, signal)  # after setuid(), which clears the setting
    os.execvp(program[0], program)  # noqa: S606 - replacing this process is the purpose


if __name__ == "__main__":
    main(sys.argv[1:])
