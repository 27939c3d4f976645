"""Work that may crash, hang or swallow the machine's memory runs here: in a child process of its own.

The child is a fresh interpreter with its own working folder, hardly any environment (no secrets), limits on
memory, processor time and file size set by the kernel, and a life that ends with its parent's. It answers in JSON
over a pipe; what it prints goes to ``child.log`` in its folder.

Not a security sandbox: the child may read what its user may read.
"""

from __future__ import annotations

import importlib
import json
import logging
import os
import resource
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

from wnis_core.errors import Cancelled, Failure, WnisError
from wnis_core.problem import error_from_document, problem_document

log = logging.getLogger(__name__)

Progress = Callable[[float, str], None]

_MB = 1_000_000
_POLL_S = 0.05
_LOG_TAIL_BYTES = 2_000
_KEPT_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "SYSTEMROOT")
_PR_SET_PDEATHSIG = 1


class ChildLost(Failure):
    """The child ended without an answer; `reason` is ``aborted``, ``memory``, ``cpu`` or ``wall``."""

    def __init__(self, message: str, *, reason: str, mend: str = "", log_tail: str = "") -> None:
        super().__init__(message, mend=mend, details={"reason": reason})
        self.reason = reason
        self.log_tail = log_tail


def _ignore_progress(_fraction: float, _message: str) -> None:
    return None


def run_contained(
    target: str,
    arguments: dict[str, Any],
    *,
    folder: Path,
    memory_bytes: int = 2_000 * _MB,
    cpu_s: int = 600,
    wall_s: float = 900.0,
    file_bytes: int = 4_000 * _MB,
    threads: int = 1,
    on_progress: Progress = _ignore_progress,
    cancelled: Callable[[], bool] = lambda: False,
) -> Any:
    """The JSON answer of ``target(arguments, report)``, run in a child process.

    Parameters
    ----------
    target : ``package.module:function``; takes `arguments` and a progress callback, returns JSON types
    arguments : JSON types
    folder : the child's own working folder; made when missing, left behind for the caller to read and remove
    memory_bytes : limit of the child's private memory
    cpu_s : limit of its processor time, in s
    wall_s : limit of its life, in s
    file_bytes : limit of any one file that it writes
    threads : threads that numerical libraries may use
    on_progress : called in this process with (fraction 0-1, message)
    cancelled : asked some twenty times a second; true kills the child

    Raises
    ------
    ChildLost
        the child crashed, or exceeded a limit
    Cancelled
        `cancelled` returned true
    WnisError
        the same error as the target raised
    """
    folder.mkdir(parents=True, exist_ok=True)
    read_end, write_end = os.pipe()
    environment = {name: os.environ[name] for name in _KEPT_ENVIRONMENT if name in os.environ}
    environment |= {
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "PYTHONUNBUFFERED": "1",
        "PYTHONHASHSEED": "0",
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
    }
    request = {
        "target": target,
        "arguments": arguments,
        "parent": os.getpid(),
        "pipe": write_end,
        "memory_bytes": memory_bytes,
        "cpu_s": cpu_s,
        "file_bytes": file_bytes,
    }
    log_path = folder / "child.log"
    try:
        with log_path.open("wb") as printed:
            child = subprocess.Popen(
                # -P: the working folder holds the input of strangers and is no place to import from
                [sys.executable, "-P", "-m", "wnis_core.contained"],
                cwd=folder,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=printed,
                stderr=printed,
                pass_fds=(write_end,),
                start_new_session=True,
            )
    except BaseException:
        os.close(read_end)
        raise
    finally:
        os.close(write_end)
    try:
        with os.fdopen(read_end, "rb") as answers:
            assert child.stdin is not None
            try:
                child.stdin.write(json.dumps(request).encode())
                child.stdin.close()
            except BrokenPipeError:
                log.debug("the child died before it read its request")
            answer = _follow(child, answers, time.monotonic() + wall_s, wall_s, on_progress, cancelled)
        if answer is None:
            raise _lost(child, cpu_s, memory_bytes, _tail(log_path))
    finally:
        _kill(child)
    if "out_of_memory" in answer:
        raise ChildLost(
            f"The work needed more than {memory_bytes // _MB} MB of memory and was stopped.",
            reason="memory",
            mend="Try a smaller model.",
        )
    if "error" in answer:
        log.info("contained %s answered with an error: %s", target, answer["error"].get("error"))
        raise error_from_document(answer["error"])
    return answer["result"]


def _follow(
    child: subprocess.Popen[bytes],
    answers: BinaryIO,
    deadline: float,
    wall_s: float,
    on_progress: Progress,
    cancelled: Callable[[], bool],
) -> dict[str, Any] | None:
    """The child's last word, or None when it ended without one."""
    pending = bytearray()
    waiting = select.poll()
    waiting.register(answers, select.POLLIN | select.POLLHUP)
    while True:
        if cancelled():
            raise Cancelled("The work was cancelled.")
        if time.monotonic() > deadline:
            raise ChildLost(
                f"The work did not finish within {wall_s:g} s and was stopped.",
                reason="wall",
                mend="Try a smaller model or a shorter period.",
            )
        if not waiting.poll(_POLL_S * 1000):
            continue
        piece = os.read(answers.fileno(), 1 << 20)
        if not piece:
            return None
        pending += piece
        if b"\n" not in piece:
            continue
        *lines, rest = bytes(pending).split(b"\n")
        pending = bytearray(rest)
        for line in lines:
            word: dict[str, Any] = json.loads(line)
            if "progress" in word:
                on_progress(float(word["progress"]), str(word["message"]))
            else:
                return word


def _lost(child: subprocess.Popen[bytes], cpu_s: int, memory_bytes: int, tail: str) -> ChildLost:
    code = child.wait(timeout=10)
    if code == -signal.SIGXCPU:
        return ChildLost(
            f"The work used more than {cpu_s} s of processor time and was stopped.",
            reason="cpu",
            mend="Try a smaller model or a shorter period.",
            log_tail=tail,
        )
    cause = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    log.warning("a contained child died of %s; it printed: %s", cause, tail)
    return ChildLost(
        f"The child process crashed ({cause}; its memory was limited to {memory_bytes // _MB} MB).",
        reason="aborted",
        log_tail=tail,
    )


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End the child and whatever it started: it leads a session of its own."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        log.debug("the child's group is gone already")
    child.wait(timeout=30)


def _tail(path: Path) -> str:
    try:
        return path.read_bytes()[-_LOG_TAIL_BYTES:].decode("utf-8", "replace").strip()
    except OSError:
        return ""


def _die_with_parent(parent: int) -> None:
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _child_main() -> None:
    request = json.loads(sys.stdin.buffer.read())
    _die_with_parent(request["parent"])
    # private writable memory; the address space would also count what libraries only map or reserve
    resource.setrlimit(resource.RLIMIT_DATA, (request["memory_bytes"],) * 2)
    resource.setrlimit(resource.RLIMIT_CPU, (request["cpu_s"], request["cpu_s"] + 5))
    resource.setrlimit(resource.RLIMIT_FSIZE, (request["file_bytes"],) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with os.fdopen(request["pipe"], "wb", buffering=0) as pipe:

        def say(word: dict[str, Any]) -> None:
            line = memoryview(json.dumps(word, separators=(",", ":")).encode() + b"\n")
            while line:
                line = line[pipe.write(line) :]

        def report(fraction: float, message: str) -> None:
            say({"progress": fraction, "message": message})

        try:
            module, _, function = request["target"].partition(":")
            word = {"result": getattr(importlib.import_module(module), function)(request["arguments"], report)}
        except WnisError as error:
            word = {"error": problem_document(error, "")}
        except MemoryError:
            word = {"out_of_memory": True}
        except Exception as error:
            traceback.print_exc()
            word = {"error": problem_document(Failure(f"The work failed: {type(error).__name__}: {error}"), "")}
        say(word)


if __name__ == "__main__":
    # run as a module, these classes would exist twice: once as __main__'s and once as the package's
    from wnis_core.contained import _child_main as main

    main()
