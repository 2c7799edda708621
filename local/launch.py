"""Becomes another program that cannot outlive the one which started it.

Run by path, with `python -I -S`, as the first thing in a child: asks the kernel to signal this process when its parent
dies, steps down to another user if told, and then *is* the program. A separate program rather than `preexec_fn`,
because forking a process in which gRPC's threads run is not safe and starting one is.

    launch.py PARENT_PID SIGNAL UID PROGRAM [ARGUMENT …]      (UID -1: stay who we are)
"""

import ctypes
import os
import pwd
import sys

_PR_SET_PDEATHSIG = 1


def _die_with_parent(parent: int, signal: int) -> None:
    if sys.platform != "linux":  # others have no such thing; an orderly end is all they get
        return
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal)
    if os.getppid() != parent:  # it died before the kernel was told
        sys.exit(1)


def main(arguments: list[str]) -> None:
    parent, signal, uid = (int(argument) for argument in arguments[:3])
    program = arguments[3:]
    if uid >= 0:
        os.setgroups([])
        os.setgid(pwd.getpwuid(uid).pw_gid)
        os.setuid(uid)
    _die_with_parent(parent, signal)  # after the change of user, which forgets it
    os.execvp(program[0], program)  # noqa: S606 - becoming that program is the purpose


if __name__ == "__main__":
    main(sys.argv[1:])
