"""The embedded store survives kill -9, begins anew when damaged, and has one owner."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from wnis_core.errors import Unavailable
from wnis_ml.search.embedded_store import EmbeddedStore

from tests.component.ml_search.test_vector_store_contract import ANY, MODEL, incident, towards

WRITER = """
import sys
from pathlib import Path
from tests.component.ml_search.test_vector_store_contract import ANY, MODEL, incident, towards
from wnis_ml.search.embedded_store import EmbeddedStore
store = EmbeddedStore(Path(sys.argv[1]), MODEL)
for k in range(100_000):
    store.upsert("u", [incident(f"i{k}", towards(k % 300))])
    print(k, flush=True)
"""


def test_every_vector_that_was_stored_survives_kill_9(tmp_path: Path) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    for line in writer.stdout:
        if int(line) >= 300:
            break
    os.kill(writer.pid, signal.SIGKILL)
    acknowledged = 300
    for line in writer.stdout:
        acknowledged = int(line)
    writer.wait()
    store = EmbeddedStore(tmp_path, MODEL)
    assert store.ids("u") >= {f"i{k}" for k in range(acknowledged + 1)}
    assert store.search("u", towards(7), ANY, 1)[0].score == pytest.approx(1.0, abs=1e-5)
    store.close()


def test_a_second_process_is_told_who_has_it(tmp_path: Path) -> None:
    owner = EmbeddedStore(tmp_path, MODEL)
    owner.upsert("u", [incident("a", towards(0))])
    asked = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from pathlib import Path; from wnis_ml.search.embedded_store import EmbeddedStore; "
            f"EmbeddedStore(Path(sys.argv[1]), {MODEL!r}, wait_s=0.2)",
            str(tmp_path),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.returncode != 0
    assert "Another process owns the vector store" in asked.stderr
    assert owner.ids("u") == {"a"}
    owner.close()


@pytest.mark.parametrize(
    "pattern",
    ["wal/open-*", "edge_config.json", "segments/*/segment.json", "segments/*/vector_storage/vectors/status.dat"],
)
def test_a_damaged_store_is_begun_anew(tmp_path: Path, pattern: str) -> None:
    store = EmbeddedStore(tmp_path, MODEL)
    store.upsert("u", [incident("a", towards(0))])
    store.close()
    damaged = [path for path in tmp_path.glob(f"incidents-*/{pattern}") if path.is_file()]
    assert damaged
    for path in damaged:
        path.write_bytes(b"garbage")
    store = EmbeddedStore(tmp_path, MODEL)
    assert store.count("u") == 0
    store.upsert("u", [incident("b", towards(1))])
    assert store.ids("u") == {"b"}
    store.close()


def test_vectors_of_another_model_are_dropped(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path, MODEL)
    store.upsert("u", [incident("a", towards(0))])
    store.close()
    store = EmbeddedStore(tmp_path, "b" * 64)
    assert store.count("u") == 0
    store.close()
    assert len(list(tmp_path.glob("incidents-*"))) == 1


def test_a_store_that_is_closed_keeps_what_it_had(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path, MODEL)
    store.upsert("u", [incident("a", towards(3))])
    store.close()
    store = EmbeddedStore(tmp_path, MODEL)
    hit = store.search("u", towards(3), ANY, 5)
    assert [h.id for h in hit] == ["a"]
    assert np.isclose(hit[0].score, 1.0, atol=1e-5)
    store.close()


def test_a_failure_of_the_engine_is_ours_to_report(tmp_path: Path) -> None:
    store = EmbeddedStore(tmp_path, MODEL)
    store.close()
    with pytest.raises(Unavailable, match="vector store failed"):
        store.count("u")
