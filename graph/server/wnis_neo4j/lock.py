"""The lock of Neo4j's artefacts: one line each, ``group:name:version[:classifier] sha256``.

``python -m wnis_neo4j.lock`` resolves the server's dependencies anew and writes the file; with ``VERSION FILE`` it
locks another version elsewhere, as the test of migrations needs it. A lock names no download host: where artefacts
come from is the business of whoever downloads.
"""

from __future__ import annotations

import hashlib
import sys
import tempfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

NEO4J_VERSION = "5.26.30"
LOCK_FILE = Path(__file__).with_name("artefacts.lock")
_ROOTS = ("org.neo4j:neo4j", "org.neo4j.app:neo4j-server")


@dataclass(frozen=True)
class Release:
    """A version of the Community server: what it consists of, and the class that starts it."""

    version: str
    lock: Path
    main_class: str


LTS = Release(NEO4J_VERSION, LOCK_FILE, "org.neo4j.server.CommunityEntryPoint")
"""What this program runs."""


@dataclass(frozen=True, order=True)
class Artefact:
    """One jar: its coordinates and the only content we accept for it."""

    group: str
    name: str
    version: str
    classifier: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The jar's file name, unique within the lock."""
        return f"{self.name}-{self.version}{f'-{self.classifier}' if self.classifier else ''}.jar"

    def line(self) -> str:
        """The artefact as it stands in the lock."""
        parts = (self.group, self.name, self.version, self.classifier)
        return f"{':'.join(part for part in parts if part)} {self.sha256}"


def read_lock(path: Path = LOCK_FILE) -> tuple[Artefact, ...]:
    """The locked artefacts, in the order of the file."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        coordinates, sha256 = line.split(" ")
        group, name, version, *classifier = coordinates.split(":")
        found.append(Artefact(group, name, version, classifier[0] if classifier else "", sha256))
    return tuple(found)


def lock_sha256(path: Path = LOCK_FILE) -> str:
    """Identity of the lock; a provisioned folder carries it as its stamp."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_lock(artefacts: tuple[Artefact, ...], path: Path = LOCK_FILE, version: str = NEO4J_VERSION) -> None:
    """Write `artefacts` in a stable order."""
    lines = [
        f"# Neo4j {version} Community: artefacts and sha256. Written by: python -m wnis_neo4j.lock",
        *(artefact.line() for artefact in sorted(artefacts)),
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def artefacts_of_resolution(document: Path) -> tuple[Artefact, ...]:
    """The artefacts that jgo's own record of a resolution names."""
    with document.open("rb") as file:
        entries = tomllib.load(file)["dependencies"]
    return tuple(
        Artefact(e["groupId"], e["artifactId"], e["version"], e.get("classifier", ""), e["sha256"]) for e in entries
    )


def resolve(version: str = NEO4J_VERSION) -> tuple[Artefact, ...]:
    """Resolve the server and all it needs; takes minutes, as every artefact is downloaded to be hashed."""
    import jgo

    with tempfile.TemporaryDirectory() as folder:
        jgo.build("+".join(f"{root}:{version}" for root in _ROOTS), cache_dir=Path(folder))
        (document,) = Path(folder).glob("envs/**/jgo.lock.toml")
        return artefacts_of_resolution(document)


if __name__ == "__main__":
    wanted, file = (sys.argv[1], Path(sys.argv[2])) if len(sys.argv) == 3 else (NEO4J_VERSION, LOCK_FILE)
    write_lock(resolve(wanted), file, wanted)
    sys.stderr.write(f"{file.name}: {len(read_lock(file))} artefacts\n")
