"""An INP file as a `NetworkModel`, once EPANET has opened it; runs in a contained child."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from wnis_graph.network_model import to_document

from wnis_simulator.engine_input import opened
from wnis_simulator.inp_read import read_model
from wnis_simulator.inp_scan import scan_inp

Report = Callable[[float, str], None]


def parse_child(arguments: dict[str, Any], report: Report) -> dict[str, Any]:
    """Entry of the contained child: ``{"path": ...}`` to the document of a `NetworkModel`.

    Raises
    ------
    InvalidModel
        the file is no model, by the scan or by the engine
    """
    report(0.1, "reading the file")
    scan = scan_inp(Path(arguments["path"]).read_bytes())
    report(0.4, "opening it in EPANET")
    opened(scan).close()
    report(0.7, "reading the model")
    document = to_document(read_model(scan))
    report(1.0, "model read")
    return document
