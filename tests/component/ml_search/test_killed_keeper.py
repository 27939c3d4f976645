"""kill -9 of the process that keeps the index, again and again: afterwards the index equals the graph."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from wnis_core.settings import share_dir
from wnis_graph.repositories.incidents import IncidentRepository
from wnis_graph.repositories.outbox import OutboxRepository
from wnis_graph.scope import Scope
from wnis_ml.embedding.encoder import SentenceEncoder
from wnis_ml.search.embedded_store import EmbeddedStore
from wnis_ml.search.index_keeper import IndexKeeper, IndexState
from wnis_ml.search.jargon import read_jargon
from wnis_ml.search.meaning import Meaning

from tests.component.ml_search.test_incident_search import CRACK
from tests.conftest import Neo4jServer

KEEP = """
import sys
from pathlib import Path
from wnis_core.settings import share_dir
from wnis_graph.repositories.incidents import IncidentRepository
from wnis_graph.repositories.outbox import OutboxRepository
from wnis_graph.runner import Runner, open_driver
from wnis_graph.scope import Scope
from wnis_ml.embedding.encoder import SentenceEncoder
from wnis_ml.search.embedded_store import EmbeddedStore
from wnis_ml.search.index_keeper import IndexKeeper
from wnis_ml.search.jargon import read_jargon
from wnis_ml.search.meaning import Meaning
folder, utility, *server = sys.argv[1:]
runner = Runner(open_driver(*server))
meaning = Meaning(SentenceEncoder(share_dir() / "minilm"), read_jargon())
store = EmbeddedStore(Path(folder), meaning.fingerprint)
keeper = IndexKeeper(IncidentRepository(runner), OutboxRepository(runner), store, meaning)
print("keeping", flush=True)
while True:
    keeper.sync(Scope(utility, "keeper"))
"""


def test_an_index_whose_keeper_was_killed_three_times_equals_the_graph(
    street: Scope, incidents: IncidentRepository, outbox: OutboxRepository, neo4j_server: Neo4jServer, tmp_path: Path
) -> None:
    arguments = [str(tmp_path), street.utility, neo4j_server.uri, neo4j_server.user, neo4j_server.password]
    for attempt in range(3):
        keeper = subprocess.Popen([sys.executable, "-c", KEEP, *arguments], stdout=subprocess.PIPE, text=True)
        assert keeper.stdout is not None
        keeper.stdout.readline()
        incidents.upsert_many(street, [replace(CRACK, id=f"i{attempt}-{k}") for k in range(100)])
        incidents.delete(street, f"i{attempt}-0")
        time.sleep(0.3 * attempt)
        os.kill(keeper.pid, signal.SIGKILL)
        keeper.wait()
    meaning = Meaning(SentenceEncoder(share_dir() / "minilm"), read_jargon())
    store = EmbeddedStore(tmp_path, meaning.fingerprint)
    last = IndexKeeper(incidents, outbox, store, meaning)
    assert last.sync(street) == IndexState(indexed=297, pending=0)
    assert store.ids(street.utility) == set(incidents.list_ids(street))
    store.close()
