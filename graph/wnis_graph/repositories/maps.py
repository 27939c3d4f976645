"""A network as map features: geometry in display coordinates, and what the map colours by."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
from wnis_core.errors import NotFound

from wnis_graph.health import YEAR_DAYS
from wnis_graph.placement import Point, display_of
from wnis_graph.queries import health, maps, networks, topology
from wnis_graph.queries.maps import DrawnComponent, MapRow
from wnis_graph.queries.networks import Network
from wnis_graph.runner import Runner, Transaction
from wnis_graph.scope import Scope
from wnis_graph.survival import probability_at

__all__ = ["DrawnComponent", "MapFeature", "MapRepository", "NetworkMap"]

FRESH_S = 2.0
"""Age up to which a map is served again: a screenful of tiles is one reading of the graph."""

_KEPT = 4


@dataclass(frozen=True)
class MapFeature:
    """A component on the map.

    Parameters
    ----------
    line : longitude and latitude; one point for nodes, several for links; degrees on the blank plane when the network
        has no coordinate system
    pressure_min_m, pressure_mean_m, flow_mean_m3s, velocity_max_ms : of the latest run
    failure_probability : within one year, of the latest prediction
    """

    id: str
    type: str
    name: str
    status: str
    health: str
    material: str | None
    diameter_m: float | None
    install_date: date | None
    zone: str | None
    line: tuple[Point, ...]
    pressure_min_m: float | None
    pressure_mean_m: float | None
    flow_mean_m3s: float | None
    velocity_max_ms: float | None
    failure_probability: float | None


@dataclass(frozen=True)
class NetworkMap:
    """All features of a network that have a place, and the run they are coloured by."""

    network: Network
    run_id: str | None
    features: tuple[MapFeature, ...]
    boxes: npt.NDArray[np.float64]

    @property
    def extent(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north of everything; None when nothing has a place."""
        if not len(self.boxes):
            return None
        west, south = self.boxes[:, :2].min(axis=0)
        east, north = self.boxes[:, 2:].max(axis=0)
        return float(west), float(south), float(east), float(north)

    def within(self, west: float, south: float, east: float, north: float) -> list[MapFeature]:
        """Features whose bounding box meets the given one."""
        b = self.boxes
        meets = (b[:, 0] <= east) & (b[:, 2] >= west) & (b[:, 1] <= north) & (b[:, 3] >= south)
        return [self.features[i] for i in np.flatnonzero(meets).tolist()]


class MapRepository:
    """Maps of networks. Keep one instance: it holds what tiles of one view share."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._lock = threading.Lock()
        self._recent: OrderedDict[tuple[str, str], tuple[float, NetworkMap]] = OrderedDict()

    def get(self, scope: Scope, network_id: str) -> NetworkMap:
        """The map of the network, at most `FRESH_S` old; NotFound for an unknown one."""
        key = (scope.utility, network_id)
        with self._lock:
            known = self._recent.get(key)
        if known is not None and time.monotonic() - known[0] < FRESH_S:
            return known[1]
        read = self._runner.read(scope, lambda tx: _read(tx, network_id))
        with self._lock:
            self._recent[key] = (time.monotonic(), read)
            self._recent.move_to_end(key)
            while len(self._recent) > _KEPT:
                self._recent.popitem(last=False)
        return read

    def drawn(self, scope: Scope, network_id: str) -> tuple[Network, list[DrawnComponent]]:
        """The network and its components that have a place, as they are drawn; NotFound for an unknown one."""

        def work(tx: Transaction) -> tuple[Network, list[DrawnComponent]]:
            head = tx.run_one(networks.HEADS, id=network_id)
            if head is None:
                raise NotFound(f"There is no network {network_id!r}.")
            return head, [row for row in tx.run(maps.DRAWN, id=network_id) if row.shape]

        return self._runner.read(scope, work)


def _read(tx: Transaction, network_id: str) -> NetworkMap:
    head = tx.run_one(networks.HEADS, id=network_id)
    if head is None:
        raise NotFound(f"There is no network {network_id!r}.")
    run = tx.run_one(topology.LATEST_RUN, id=network_id)
    measured = {m.component_id: m for m in tx.run(health.MEASURED, run=run.id)} if run else {}
    believed = {b.component_id: b for b in tx.run(health.BELIEVED, id=network_id)}
    display = display_of(head.plane)

    def feature(row: MapRow) -> MapFeature:
        result, belief = measured.get(row.id), believed.get(row.id)
        return MapFeature(
            id=row.id,
            type=row.type,
            name=row.name,
            status=row.status,
            health=row.health,
            material=row.material,
            diameter_m=row.diameter_m,
            install_date=row.install_date,
            zone=row.zone,
            line=tuple(display(x, y) for x, y in zip(row.shape[::2], row.shape[1::2], strict=True)),
            pressure_min_m=result.pressure_min_m if result else None,
            pressure_mean_m=result.pressure_mean_m if result else None,
            flow_mean_m3s=result.flow_mean_m3s if result else None,
            velocity_max_ms=result.velocity_max_ms if result else None,
            failure_probability=probability_at(belief.knots, YEAR_DAYS).probability if belief else None,
        )

    features = tuple(feature(row) for row in tx.run(maps.COMPONENTS, id=network_id) if row.shape)
    boxes = [[*map(min, zip(*f.line, strict=True)), *map(max, zip(*f.line, strict=True))] for f in features]
    return NetworkMap(head, run.id if run else None, features, np.array(boxes, dtype=np.float64).reshape(-1, 4))
