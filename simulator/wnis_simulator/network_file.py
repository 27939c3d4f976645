"""A network of the graph as an INP file: its source with what was changed since, or a file written afresh."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from wnis_core.errors import Conflict
from wnis_core.objects import ObjectStore
from wnis_graph.desired import imported_ids, label_of
from wnis_graph.network_model import NetworkModel
from wnis_graph.repositories.networks import Network, NetworkRepository
from wnis_graph.repositories.simulations import SimulationRepository
from wnis_graph.runner import Runner
from wnis_graph.scope import Scope

from wnis_simulator.differences import (
    Change,
    Link,
    Node,
    Renamed,
    differences,
    links_of,
    nodes_of,
    require_nodes_between,
)
from wnis_simulator.inp_edit import Orphan, edit_inp
from wnis_simulator.inp_read import read_model
from wnis_simulator.inp_scan import scan_inp
from wnis_simulator.inp_write import write_inp

_READS = 3


@dataclass(frozen=True)
class NetworkFile:
    """The file's bytes at the network's revision; `orphans` are controls, rules and options left out of it."""

    network: Network
    content: bytes
    sha256: str
    changes: tuple[Change, ...] = ()
    orphans: tuple[Orphan, ...] = ()


@dataclass(frozen=True)
class NetworkFiles:
    """Files of the networks of the graph."""

    runner: Runner
    objects: ObjectStore

    def present(self, scope: Scope, network_id: str) -> NetworkFile:
        """The network as the graph has it now; an unchanged one is its source file byte for byte.

        Raises
        ------
        NotFound
            no such network
        InvalidModel
            EPANET cannot express what the graph holds
        Conflict
            the network changes while it is read
        """
        network, model = self._read(scope, network_id)
        require_nodes_between(model)
        if not network.source_key:
            return _file(network, write_inp(model))
        content = self.objects.get(network.source_key)
        scan = scan_inp(content)
        source = read_model(scan)
        renamed = self._renamed(scope, network_id, source)
        changes = tuple(differences(source, model, renamed))
        if not changes and not scan.text.byte_order_mark:
            return _file(network, content)
        edited = edit_inp(scan, changes, renamed)
        return _file(network, edited.content, changes, edited.orphans)

    def _read(self, scope: Scope, network_id: str) -> tuple[Network, NetworkModel]:
        """The network and its model as of one revision."""
        repository = NetworkRepository(self.runner)
        for _ in range(_READS):
            before = repository.head(scope, network_id)
            model = repository.load_model(scope, network_id)
            if repository.head(scope, network_id).revision == before.revision:
                return before, model
        raise Conflict(f"Network {network_id} keeps changing while it is read.", mend="Try again in a moment.")

    def _renamed(self, scope: Scope, network_id: str, source: NetworkModel) -> Renamed:
        """What has another name now than the import gave it: a component's id stays."""
        nodes, links = SimulationRepository(self.runner).get_component_ids(scope, network_id)
        now = {identifier: name for ids in (nodes, links) for name, identifier in ids.items()}

        def of(items: Mapping[str, Node] | Mapping[str, Link]) -> dict[str, str]:
            ids = {name: imported_ids(network_id, label_of(item), name) for name, item in items.items()}
            return {name: now[i] for name, i in ids.items() if now.get(i, name) != name}

        return Renamed(of(nodes_of(source)), of(links_of(source)))


def _file(
    network: Network, content: bytes, changes: tuple[Change, ...] = (), orphans: tuple[Orphan, ...] = ()
) -> NetworkFile:
    return NetworkFile(network, content, hashlib.sha256(content).hexdigest(), changes, orphans)
