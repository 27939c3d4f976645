"""Runs a command that ends when its parent ends: ``python tied.py PARENT_PID COMMAND ...``.

Linux delivers SIGTERM to this process when the parent *thread* that started it ends, whatever ended it; the setting
survives ``execv``. Elsewhere the watchdog alone does the work. Standard library only: it runs with ``-I -S``.
"""

import os
import signal
import sys

_PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    parent, command = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # the parent was gone before we asked to be told
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606  # the command replaces us, there is no shell
