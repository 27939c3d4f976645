"""Make graph/wnis_graph/checks/land.bin from Natural Earth's land polygons; takes some minutes.

``python scripts/land_mask.py land-10m.json``, where the file is that of the npm package world-atlas 2.0.2: TopoJSON of
Natural Earth 1:10m land, public domain. The output says of each quarter of a degree whether any land touches it:
720 x 1440 bits from north-west, zlib.
"""

from __future__ import annotations

import json
import sys
import zlib
from pathlib import Path

import numpy as np
import shapely
from shapely.geometry import MultiPolygon, Polygon

TARGET = Path(__file__).resolve().parents[1] / "graph" / "wnis_graph" / "checks" / "land.bin"
CELLS_PER_DEGREE = 4


def polygons(topology: dict[str, object]) -> list[Polygon]:
    """Polygons of a TopoJSON document in degrees (specification, section 2.1.3: arcs are delta-encoded)."""
    (sx, sy), (tx, ty) = topology["transform"]["scale"], topology["transform"]["translate"]  # type: ignore[index]
    arcs = [np.cumsum(np.array(arc), axis=0) * (sx, sy) + (tx, ty) for arc in topology["arcs"]]  # type: ignore[attr-defined]

    def ring(numbers: list[int]) -> np.ndarray:
        parts = [arcs[n] if n >= 0 else arcs[~n][::-1] for n in numbers]
        return np.concatenate([parts[0], *(part[1:] for part in parts[1:])])

    found = []
    for geometry in topology["objects"]["land"]["geometries"]:  # type: ignore[index]
        for rings in geometry["arcs"]:
            outer, *holes = [ring(numbers) for numbers in rings]
            if len(outer) >= 4:
                found.append(Polygon(outer, [h for h in holes if len(h) >= 4]).buffer(0))
    return found


def main() -> None:
    """The command."""
    land = polygons(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    size = 1 / CELLS_PER_DEGREE
    west = np.arange(-180, 180, size)
    north = np.arange(90, -90, -size)
    x, y = np.meshgrid(west, north)
    cells = shapely.box(x, y - size, x + size, y).ravel()
    parts = [part for shape in land for part in (shape.geoms if isinstance(shape, MultiPolygon) else [shape])]
    tree = shapely.STRtree(parts)
    mask = np.zeros(len(cells), dtype=bool)
    mask[np.unique(tree.query(cells, predicate="intersects")[0])] = True
    TARGET.write_bytes(zlib.compress(np.packbits(mask).tobytes(), 9))
    sys.stdout.write(f"{TARGET}: {TARGET.stat().st_size:,} bytes, {mask.mean():.1%} of the cells touch land\n")


if __name__ == "__main__":
    main()
