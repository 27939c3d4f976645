"""Loading the demonstration through the public HTTP API, with the code that a user's data takes.

Every step can be repeated: what is there is found, what is missing is made. Steps that are done are noted in the home
folder, so that an interrupted load goes on where it stopped and a second one does nothing; nor does one from another
home when everything is there.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from wnis_core.errors import Conflict, NotAuthenticated, NotFound, Unavailable
from wnis_core.mapping import load_mapping, read_table
from wnis_core.settings import share_dir

from wnis_ops.cli.registers import send_assets, send_incidents
from wnis_ops.client import ApiClient, Progress, part
from wnis_ops.demo.files import SEED, DemonstrationFiles, draw, write
from wnis_ops.demo.network import CRS, NETWORK_ID, write_inp
from wnis_ops.demo.people import Account, accounts, passwords, sayings

NETWORK_NAME = "Demonstration (ky4)"
_CHECKOUT = Path(__file__).resolve().parents[3] / "config" / "mappings"
MAPPINGS = _CHECKOUT if _CHECKOUT.is_dir() else share_dir() / "mappings"

_INDEX_WAIT_S = 300.0
_POLL_S = 0.3


@dataclass(frozen=True)
class DemoLoaded:
    """The demonstration is there.

    Parameters
    ----------
    already : it had been loaded before; nothing was done
    seconds : time of each step that was done now
    accounts_file : where the passwords of the demonstration accounts are
    """

    already: bool
    seconds: dict[str, float]
    accounts_file: Path


@dataclass(frozen=True)
class _Load:
    client: ApiClient
    home: Path
    files: DemonstrationFiles
    say: Progress


@dataclass
class _Note:
    """What the home folder remembers of the demonstration."""

    file: Path
    until: date
    done: list[str]

    @classmethod
    def read(cls, file: Path) -> _Note:
        try:
            kept = json.loads(file.read_text(encoding="utf-8"))
            return cls(file, date.fromisoformat(kept["until"]), [str(step) for step in kept["done"]])
        except (OSError, ValueError, KeyError, TypeError):
            return cls(file, datetime.now(UTC).date(), [])

    def write(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps({"until": self.until.isoformat(), "done": self.done}), encoding="utf-8")
        fresh.replace(self.file)


def load_demo(client: ApiClient, progress: Progress, home: Path) -> DemoLoaded:
    """Load the demonstration into the client's utility and wait for all of it.

    Parameters
    ----------
    client : of an admin of the utility
    progress : told the fraction done and what is being done
    home : folder of the instance (``WNIS_HOME``)

    Raises
    ------
    WnisError
        what a step was refused for
    """
    accounts_file = home / "secrets" / "demo-accounts.json"
    note = _Note.read(home / "demo" / "demo.json")
    if not _there(client):
        note = _Note(note.file, datetime.now(UTC).date(), [])
    elif not note.done and _said(client):
        # a home that knows nothing of what another one loaded: after a restore, or on another machine
        note.done = [name for name, *_ in _STEPS]
        note.write()
    if len(note.done) == len(_STEPS):
        progress(1.0, "The demonstration is there.")
        return DemoLoaded(True, {}, accounts_file)
    note.write()
    progress(0.0, "Drawing 25 years of synthetic history")
    files = write(draw(note.until, SEED), home / "demo")
    seconds: dict[str, float] = {}
    total = sum(weight for _, _, weight, _ in _STEPS)
    before = 0.0
    for name, title, weight, step in _STEPS:
        if name not in note.done:
            begun = time.monotonic()

            def say(fraction: float, message: str, title: str = title, at: float = before, of: float = weight) -> None:
                progress((at + of * min(fraction, 1.0)) / total, f"{title}: {message}" if message else title)

            say(0.0, "")
            step(_Load(client, home, files, say))
            seconds[name] = round(time.monotonic() - begun, 2)
            note.done.append(name)
            note.write()
        before += weight
    progress(1.0, "The demonstration is loaded.")
    return DemoLoaded(False, seconds, accounts_file)


def _there(client: ApiClient) -> bool:
    try:
        client.get(f"/networks/{NETWORK_ID}")
    except NotFound:
        return False
    return True


def _said(client: ApiClient) -> bool:
    """Whether the last thing that is loaded is there: what the accounts say."""
    said = {item["content"] for item in client.pages("/feedback")}
    return {saying.content for saying in sayings(("", "", ""))} <= said


def _network(load: _Load) -> None:
    fields = {"id": NETWORK_ID, "name": NETWORK_NAME, "crs": CRS, "synthetic": "true"}
    accepted = load.client.upload("/networks", write_inp(load.home / "demo"), fields)
    load.client.wait(accepted["job_id"], load.say)


def _register(load: _Load) -> None:
    for file, name in (
        (load.files.assets, "demo-assets"),
        (load.files.connections, "demo-service-connections"),
        (load.files.valves, "demo-isolation-valves"),
    ):
        mapping = load_mapping(MAPPINGS / f"{name}.toml")
        table = read_table(file, mapping)
        _require_taken(send_assets(load.client, table, mapping.target.name, NETWORK_ID, load.say), file)


def _incidents(load: _Load) -> None:
    table = read_table(load.files.incidents, load_mapping(MAPPINGS / "demo-incidents.toml"))
    _require_taken(send_incidents(load.client, table, NETWORK_ID, load.say), load.files.incidents)


def _require_taken(outcome: dict[str, Any], file: Path) -> None:
    refused = [*outcome.get("rejected", ()), *outcome.get("unmatched", ())]
    if refused:
        raise Conflict(
            f"{len(refused)} rows of {file} were not taken, the first: {refused[0]}.",
            mend=f"Is the network {NETWORK_ID} another one? Load the demonstration into a fresh home.",
        )


def _people(load: _Load) -> None:
    known = {user["username"] for user in load.client.pages("/admin/users")}
    people, secret = _accounts(load)
    for account in people:
        if account.username not in known:
            load.client.post(
                "/admin/users",
                {
                    "username": account.username,
                    "password": secret[account.username],
                    "role": account.role,
                    "synthetic": True,
                },
            )


def _accounts(load: _Load) -> tuple[tuple[Account, ...], dict[str, str]]:
    people = accounts(load.client.get("/auth/me")["utility"])
    return people, passwords(load.home / "secrets" / "demo-accounts.json", people)


def _signed_in(load: _Load, username: str, password: str) -> ApiClient:
    try:
        token = ApiClient(load.client.url).post("/auth/login", {"username": username, "password": password})["token"]
    except NotAuthenticated:
        # the account is from another home of the same graph: its password is not known here
        return load.client
    return ApiClient(load.client.url, token)


def _feedback(load: _Load) -> None:
    """Each account says its own, so that every piece of feedback leads to who said it."""
    said = {item["content"] for item in load.client.pages("/feedback")}
    ranking = load.client.get("/predictions/failure/ranking", top=3, network=NETWORK_ID)["ranking"]
    component_of = {row["component_name"]: row["component_id"] for row in ranking}
    people, secret = _accounts(load)
    username = {account.role: account.username for account in people}
    clients: dict[str, ApiClient] = {}
    for saying in sayings(tuple(component_of)):
        if saying.content in said:
            continue
        if saying.by not in clients:
            clients[saying.by] = _signed_in(load, username[saying.by], secret[username[saying.by]])
        body: dict[str, Any] = {
            "source": saying.source,
            "category": saying.category,
            "content": saying.content,
            "rating": saying.rating,
            "synthetic": True,
        }
        if saying.pipe is not None:
            body |= {"component_id": component_of[saying.pipe], "component_type": "Pipe"}
        receipt = clients[saying.by].post("/feedback", {k: v for k, v in body.items() if v is not None})
        if saying.status != "new":
            changed = {"status": saying.status, "resolution": saying.resolution}
            load.client.put(f"/feedback/{part(receipt['id'])}", {k: v for k, v in changed.items() if v is not None})


def _simulation(load: _Load) -> None:
    accepted = load.client.post("/simulations", {"network_id": NETWORK_ID, "kind": "hydraulic"})
    load.client.wait(accepted["job_id"], load.say)


def _training(load: _Load) -> None:
    load.client.wait(load.client.post("/models/runs", {"seed": SEED})["job_id"], load.say)


def _predictions(load: _Load) -> None:
    load.client.wait(load.client.post("/predictions/runs", {})["job_id"], load.say)


def _index(load: _Load) -> None:
    """The index follows by itself; this waits until it has read everything."""
    until = time.monotonic() + _INDEX_WAIT_S
    while time.monotonic() < until:
        state = load.client.get("/index")
        if state["pending"] == 0:
            return
        load.say(state["indexed"] / (state["indexed"] + state["pending"]), f"{state['pending']:,} to read")
        time.sleep(_POLL_S)
    raise Unavailable("The index of incidents does not follow.", mend="See `wnis status` and the log of ml.")


_STEPS: tuple[tuple[str, str, float, Callable[[_Load], None]], ...] = (
    ("network", "Importing the network", 6, _network),
    ("register", "Importing the register", 4, _register),
    ("incidents", "Importing the incidents", 4, _incidents),
    ("people", "Making accounts", 2, _people),
    ("simulation", "Simulating", 6, _simulation),
    ("training", "Training the failure model", 10, _training),
    ("predictions", "Predicting", 8, _predictions),
    ("feedback", "Recording feedback", 2, _feedback),
    ("index", "Indexing incidents", 4, _index),
)
"""Name, title, share of the time, and the step itself."""
