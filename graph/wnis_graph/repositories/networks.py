"""Networks: import, lists, and the model read back."""

from __future__ import annotations

from datetime import datetime

from wnis_core.errors import NotFound

from wnis_graph.desired import IdOf, imported_ids, own_names
from wnis_graph.network_model import NetworkModel
from wnis_graph.persist import ImportSummary, SourceFile, compare_network, persist_network
from wnis_graph.queries import isolation, networks
from wnis_graph.queries.networks import Network, Zone, network_of
from wnis_graph.rebuild import rebuild_model
from wnis_graph.revisions import change_of, rewind
from wnis_graph.runner import Runner, Transaction
from wnis_graph.scope import Scope

__all__ = ["ImportSummary", "Network", "NetworkRepository", "SourceFile", "Zone", "imported_ids", "own_names"]


class NetworkRepository:
    """Networks of a utility."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    def persist(
        self,
        scope: Scope,
        network_id: str,
        model: NetworkModel,
        source: SourceFile | None,
        *,
        crs: str | None = None,
        name: str | None = None,
        synthetic: bool = False,
        id_of: IdOf = imported_ids,
    ) -> ImportSummary:
        """Make the graph hold `model`, atomically and without duplicates.

        Only differences are written: the same model again changes nothing and makes no revision. Components that
        the model no longer has are retired; what a register knows and the model is silent about stays.

        Parameters
        ----------
        source : the file the model was read from; None for one that was made by hand
        crs : coordinate reference system of the model's coordinates (EPSG:n); None draws it on a blank plane
        name : shown to people; None keeps the name there is, else the id
        synthetic : made by a generator
        id_of : how ids are made of (network, label, name); `own_names` takes names as they are

        Raises
        ------
        InvalidModel
            the model contradicts itself
        InvalidValue
            unknown coordinate reference system, or a property the schema refuses
        Conflict
            an id belongs to another network of the utility
        """
        return persist_network(
            self._runner, scope, network_id, model, source, crs=crs, name=name, synthetic=synthetic, id_of=id_of
        )

    def compare(
        self, scope: Scope, network_id: str, model: NetworkModel, *, crs: str | None = None, id_of: IdOf = imported_ids
    ) -> ImportSummary:
        """What `persist` with the same arguments would do now; writes nothing and raises the same."""
        return compare_network(self._runner, scope, network_id, model, crs=crs, id_of=id_of)

    def get_as_of(self, scope: Scope, network_id: str, moment: datetime) -> Network:
        """The network as it was recorded at `moment`: its own properties, its revision and what it held.

        Raises
        ------
        NotFound
            no such network, or it was not there yet
        """

        def work(tx: Transaction) -> Network:
            found = tx.run_one(networks.RECORDED, id=network_id)
            if found is None:
                raise _missing(network_id)
            created_at = found.properties.get("created_at")
            if created_at is None or created_at > moment:
                raise NotFound(f"The network {network_id!r} was not recorded yet at {moment.isoformat()}.")
            changes = [change_of(row, "Network") for row in found.revisions]
            past = rewind(found.properties, changes, moment)
            [writes] = tx.run(networks.WRITES_SINCE, id=network_id, at=moment)
            counts = dict(tx.run(networks.COUNTS_AT, id=network_id, at=moment))
            return network_of(past | {"revision": found.properties["revision"] - writes}, counts)

        return self._runner.read(scope, work)

    def get(self, scope: Scope, network_id: str) -> Network:
        """The network, or NotFound."""
        found = self._runner.run_one(scope, networks.GET, id=network_id)
        if found is None:
            raise _missing(network_id)
        return found

    def head(self, scope: Scope, network_id: str) -> Network:
        """The network without its counts (one node read), or NotFound."""
        found = self._runner.run_one(scope, networks.HEADS, id=network_id)
        if found is None:
            raise _missing(network_id)
        return found

    def zones(self, scope: Scope, network_id: str | None = None) -> list[Zone]:
        """Zones of one network or of all, by network and id."""
        return self._runner.run(scope, networks.ZONES, id=network_id)

    def load_model(self, scope: Scope, network_id: str) -> NetworkModel:
        """The network as the graph has it, with the joints that lack a node in `link_to_link`."""

        def work(tx: Transaction) -> NetworkModel:
            head = tx.run_one(networks.HEADS, id=network_id)
            if head is None:
                raise _missing(network_id)
            stored = tx.run(networks.STORED_COMPONENTS, id=network_id)
            joints = tx.run(networks.JOINTS, id=network_id)
            zones, seats = tx.run(networks.ZONES, id=network_id), tx.run(isolation.SEATS, id=network_id)
            return rebuild_model(head, stored, joints, zones, seats)

        return self._runner.read(scope, work)

    def list(self, scope: Scope) -> list[Network]:
        """All networks by id."""
        return self._runner.run(scope, networks.LIST)


def _missing(network_id: str) -> NotFound:
    return NotFound(f"There is no network {network_id!r}.", mend="See the list of networks.")
