"""The three services of an instance: which command, which variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wnis_core.settings import share_dir

from wnis_ops.local.options import UpOptions
from wnis_ops.place import Home, own_release, python_of

_INTERNAL_ARGUMENTS = (
    "--worker-class", "gthread", "--workers", "1", "--threads", "8", "--timeout", "300", "--graceful-timeout", "5",
)  # fmt: skip


@dataclass(frozen=True)
class Service:
    """A program to run and the environment it gets."""

    name: str
    command: tuple[str, ...]
    environ: Mapping[str, str]


def services(
    home: Home,
    options: UpOptions,
    ports: Mapping[str, int],
    environ: Mapping[str, str],
    secret_files: Mapping[str, str],
    graph: Mapping[str, str],
    sockets: Sequence[int],
    metrics: str,
) -> tuple[Service, ...]:
    """Simulator, ml and api, in the order in which they are started.

    Parameters
    ----------
    ports : where simulator and ml listen, and under which port people find the API
    environ : what this program was started with
    secret_files : ``NAME_FILE`` variables of generated secrets
    graph : NEO4J_URI, NEO4J_USER and NEO4J_PASSWORD or NEO4J_PASSWORD_FILE
    sockets : descriptors of the listening sockets that the API inherits
    metrics : name of the folder in ``run`` where the workers of the API count together
    """
    common = {
        **environ,
        **graph,
        "WNIS_HOME": str(home.path),
        "WNIS_SIMULATOR_URL": f"http://127.0.0.1:{ports['simulator']}",
        "WNIS_ML_URL": f"http://127.0.0.1:{ports['ml']}",
        "PYTHONUNBUFFERED": "1",
    }

    def environment(*secrets: str, **more: str) -> dict[str, str]:
        # no service gets a secret that it does not need
        return {**common, **{n: f for n, f in secret_files.items() if n.removesuffix("_FILE") in secrets}, **more}

    simulator = Service(
        "simulator",
        _gunicorn(f"127.0.0.1:{ports['simulator']}", *_INTERNAL_ARGUMENTS, "wnis_simulator.wsgi:app"),
        environment("WNIS_INTERNAL_SECRET"),
    )
    tls: tuple[str, ...] = ()
    watched: dict[str, str] = {}
    if options.tls_certificate and options.tls_key:
        tls = ("--certfile", str(options.tls_certificate), "--keyfile", str(options.tls_key))
        # what is set by hand may name a proxy in front instead
        own = options.url(ports["api"]).removeprefix("https://")
        watched = {"WNIS_TLS_TARGETS": environ.get("WNIS_TLS_TARGETS") or own}
    ml = Service(
        "ml",
        _gunicorn(f"127.0.0.1:{ports['ml']}", *_INTERNAL_ARGUMENTS, "wnis_ml.wsgi:app"),
        environment("WNIS_INTERNAL_SECRET", "WNIS_SIGNING_KEY", **watched),
    )
    web = share_dir() / "web"
    extra = {"PROMETHEUS_MULTIPROC_DIR": str(home.path / "run" / metrics)}
    if web.is_dir() and "WNIS_WEB_ROOT" not in environ:
        extra["WNIS_WEB_ROOT"] = str(web)
    api = Service(
        "api",
        _gunicorn(
            *(f"fd://{number}" for number in sockets), "-c", "python:wnis_api.gunicorn_conf", *tls, "wnis_api.wsgi:app"
        ),
        environment("WNIS_INTERNAL_SECRET", "WNIS_JWT_SECRET", **extra),
    )
    return simulator, ml, api


def _gunicorn(*words: str) -> tuple[str, ...]:
    # addresses first; the control socket would lie in the user's home folder, shared by all instances
    addresses = [word for word in words if word.startswith(("fd://", "127.0.0.1:"))]
    binds = (part for address in addresses for part in ("--bind", address))
    return (
        python_of(own_release()), "-m", "gunicorn", *binds, "--no-control-socket", "--log-level", "warning",
        *words[len(addresses):],
    )  # fmt: skip
