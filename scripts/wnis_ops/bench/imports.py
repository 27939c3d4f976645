"""Import of Net6, parse and write apart; the write beside the same rows written bare; and up to 100,000 pipes."""

from __future__ import annotations

import multiprocessing
import resource
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from wnis_graph.desired import desired_network
from wnis_graph.migrations import migrate
from wnis_graph.network_model import NetworkModel, PipeModel
from wnis_graph.repositories.networks import NetworkRepository, SourceFile
from wnis_graph.runner import BATCH, Runner, open_driver
from wnis_graph.scope import Scope
from wnis_graph.values import for_driver
from wnis_graph.zones import derive_zones
from wnis_neo4j.local import LocalServer
from wnis_simulator import contained_runs
from wnis_simulator.inp_write import write_inp

NETWORK = "Net6"
RATIO_LIMIT = 1.5
LINEAR_LIMIT = 1.5
"""Time of a pipe in the largest network over that in the smallest."""
HEAP_MB = 6144
"""What 100,000 pipes (230,000 components) want of the graph: an import is one transaction, whatever its size."""
_ROUNDS = 5
_WARM_UP = 3
_PIPES = (25_000, 50_000, 100_000)
_POWER_W = 10_000.0
_SOURCE = SourceFile("bench.inp", "0" * 64, "bench.inp")


@dataclass(frozen=True)
class Size:
    """A network of Net6's copies in a row, joined by pipes: seconds, and the peak of memory of both processes."""

    pipes: int
    components: int
    file_bytes: int
    parse_s: float
    write_s: float
    parse_peak_mb: float
    write_peak_mb: float


@dataclass(frozen=True)
class ImportCost:
    """Seconds are middles of rounds in which ours and bare took turns; `ratio` is the middle of their ratios.

    Parameters
    ----------
    parse_s : the contained child, its start included, EPANET's own opening of the file too
    write_s : `NetworkRepository.persist` of a network that is not there yet: one transaction
    bare_write_s : the same nodes, joints and zones by UNWIND through the driver, in one transaction
    linear : seconds a pipe of the largest network over those of the smallest, parse and write together
    """

    network: str
    components: int
    parse_s: float
    write_s: float
    bare_write_s: float
    ratio: float
    ratio_limit: float
    heap_mb: int
    sizes: tuple[Size, ...]
    linear: float
    linear_limit: float
    within: bool


def measure(say: Callable[[str], None]) -> ImportCost:
    """On a Neo4j of its own, which nothing else uses."""
    content = contained_runs.library_model(NETWORK)
    with (
        tempfile.TemporaryDirectory(prefix="wnis-bench-", ignore_cleanup_errors=True) as folder,
        LocalServer(Path(folder) / "neo4j", short_lived=False, heap_mb=HEAP_MB) as server,
    ):
        place = (server.uri, server.user, server.password)
        with open_driver(*place) as driver:
            migrate(driver)
            say(f"{NETWORK}, in turns.")
            model, parse_s = _parsed(content)
            ours, bare = _turns(driver, model)
        sizes = []
        for pipes in _PIPES:
            say(f"{pipes:,} pipes.")
            # a process of its own, so that its peak of memory is its own
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                sizes.append(pool.apply(_sized, (place, model, pipes)))
    per_pipe = [(size.parse_s + size.write_s) / size.pipes for size in sizes]
    ratio = statistics.median(mine / theirs for mine, theirs in zip(ours, bare, strict=True))
    linear = per_pipe[-1] / per_pipe[0]
    return ImportCost(
        network=NETWORK,
        components=_components(model),
        parse_s=round(parse_s, 2),
        write_s=round(statistics.median(ours), 2),
        bare_write_s=round(statistics.median(bare), 2),
        ratio=round(ratio, 2),
        ratio_limit=RATIO_LIMIT,
        heap_mb=HEAP_MB,
        sizes=tuple(sizes),
        linear=round(linear, 2),
        linear_limit=LINEAR_LIMIT,
        within=ratio <= RATIO_LIMIT and linear <= LINEAR_LIMIT,
    )


def _parsed(content: bytes) -> tuple[NetworkModel, float]:
    seconds = []
    for _ in range(3):
        begun = time.perf_counter()
        with contained_runs.scratch() as folder:
            model = contained_runs.parse(content, folder, on_progress=lambda *_: None)
        seconds.append(time.perf_counter() - begun)
    return replace(model, zones=derive_zones(model)), statistics.median(seconds)


def _turns(driver: Any, model: NetworkModel) -> tuple[list[float], list[float]]:
    ours, bare = [], []
    for turn in range(-_WARM_UP, _ROUNDS):
        scope = Scope(f"ours-{turn}", "bench", frozenset({"admin"}))
        begun = time.perf_counter()
        NetworkRepository(Runner(driver)).persist(scope, "net", model, _SOURCE)
        half = time.perf_counter()
        _write_bare(driver, f"bare-{turn}", model)
        end = time.perf_counter()
        # the first turns warm the server up: a server in service is warm
        if turn >= 0:
            ours.append(half - begun)
            bare.append(end - half)
        with driver.session() as session:
            session.run("MATCH (n) WHERE n.utility IS NOT NULL CALL (n) { DETACH DELETE n } IN TRANSACTIONS").consume()
    return ours, bare


def _write_bare(driver: Any, utility: str, model: NetworkModel) -> None:
    """What an import writes, and nothing else: no comparing, no checks, no bookkeeping."""
    desired = desired_network("net", model, None)
    nodes: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for component in desired.components.values():
        facts = {**component.initial, **component.stated, "utility": utility, "network": "net"}
        nodes[component.label].append(for_driver({k: v for k, v in facts.items() if v is not None}))
    zones = [{"id": z.id, "name": z.name, "kind": z.kind} for z in desired.zones.values()]
    members = [[member, zone.id] for zone in desired.zones.values() for member in zone.members]

    def work(tx: Any) -> None:
        def run(cypher: str, rows: list[Any]) -> None:
            for start in range(0, len(rows), BATCH):
                tx.run(cypher, rows=rows[start : start + BATCH], utility=utility).consume()

        tx.run("CREATE (:Network {utility: $utility, id: 'net', name: 'net', revision: 1})", utility=utility).consume()
        for label, rows in nodes.items():
            run(
                "MATCH (n:Network {utility: $utility, id: 'net'}) UNWIND $rows AS row "
                f"CREATE (c:Component:{label}) SET c = row CREATE (c)-[:PART_OF]->(n)",
                rows,
            )
        run(
            "UNWIND $rows AS row MATCH (a:Component {utility: $utility, id: row[0]}) "
            "MATCH (b:Component {utility: $utility, id: row[1]}) CREATE (a)-[:CONNECTED_TO]->(b)",
            [list(pair) for pair in sorted(desired.joints)],
        )
        run(
            "MATCH (n:Network {utility: $utility, id: 'net'}) UNWIND $rows AS row "
            "CREATE (z:Zone) SET z = row, z.utility = $utility CREATE (z)-[:PART_OF]->(n)",
            zones,
        )
        run(
            "UNWIND $rows AS row MATCH (c:Component {utility: $utility, id: row[0]}) "
            "MATCH (z:Zone {utility: $utility, id: row[1]}) CREATE (c)-[:PART_OF]->(z)",
            members,
        )

    with driver.session() as session:
        session.execute_write(work)


def _sized(place: tuple[str, str, str], model: NetworkModel, pipes: int) -> Size:
    content = write_inp(_tiled(model, pipes))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    begun = time.perf_counter()
    with contained_runs.scratch() as folder:
        read = contained_runs.parse(content, folder, on_progress=lambda *_: None)
    parsed = time.perf_counter()
    read = replace(read, zones=derive_zones(read))
    with open_driver(*place) as driver:
        ready = time.perf_counter()
        NetworkRepository(Runner(driver)).persist(Scope(f"size-{pipes}", "bench"), "net", read, _SOURCE)
        written = time.perf_counter()
    peak = max(before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return Size(
        pipes=len(read.pipes),
        components=_components(read),
        file_bytes=len(content),
        parse_s=round(parsed - begun, 1),
        write_s=round(written - ready, 1),
        parse_peak_mb=round(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024),
        write_peak_mb=round(peak / 1024),
    )


def _tiled(model: NetworkModel, pipes: int) -> NetworkModel:
    """Copies of `model` side by side, until there are `pipes`; pumps of its curves get a power instead."""
    width = max(node.x or 0.0 for node in model.junctions) - min(node.x or 0.0 for node in model.junctions)
    found: defaultdict[str, list[Any]] = defaultdict(list)
    copies = -(-pipes // (len(model.pipes) + 1))
    for copy in range(copies):

        def name(text: str, copy: int = copy) -> str:
            return f"{copy}-{text}"

        for kind in ("junctions", "reservoirs", "tanks"):
            for node in getattr(model, kind):
                x = None if node.x is None else node.x + copy * width
                found[kind].append(replace(node, name=name(node.name), x=x))
        for kind in ("pipes", "pumps", "valves"):
            for link in getattr(model, kind):
                bends = tuple((x + copy * width, y) for x, y in link.vertices)
                ends = {"start": name(link.start), "end": name(link.end), "vertices": bends}
                drive = {"power_w": link.power_w or _POWER_W, "head_curve": None} if kind == "pumps" else {}
                found[kind].append(replace(link, name=name(link.name), **ends, **drive))
        if copy:
            first = model.junctions[0].name
            found["pipes"].append(PipeModel(f"to-{copy}", f"{copy - 1}-{first}", name(first), 100.0, 0.3, 100.0))
    tiles: dict[str, Any] = {kind: tuple(items) for kind, items in found.items()}
    return replace(model, zones=(), remarks=(), **tiles)


def _components(model: NetworkModel) -> int:
    return sum(len(getattr(model, kind)) for kind in ("junctions", "reservoirs", "tanks", "pipes", "pumps", "valves"))
