"""A graph with one of everything that a property can be."""

from __future__ import annotations

import math
from typing import Any

import neo4j
import pytz
from neo4j import spatial
from neo4j.time import Date, DateTime, Duration, Time

BERLIN = pytz.timezone("Europe/Berlin")

EVERY_TYPE: dict[str, Any] = {
    "true": True, "whole": 2**63 - 1, "least": -(2**63), "float": 0.1, "round": 3.0, "tiny": 5e-324,
    "infinite": math.inf, "nothing_but": -math.inf,
    "text": "Schieber Nähe Übergabeschacht 第三水厂 \u2028 \"quoted\" \\ \n \t \x00 🚰",
    "long": "x" * 300_000, "bytes": bytes(range(256)), "empty": "", "none": [],
    "date": Date(2015, 3, 12), "time": Time(10, 11, 12, 123456789),
    "local": DateTime(2020, 3, 1, 10, 11, 12, 999999999),
    "offset": DateTime.from_iso_format("2020-03-01T10:11:12.123456789+05:45"),
    "zoned": DateTime.from_iso_format("2020-10-25T01:30:00.000000007+00:00").astimezone(BERLIN),
    "twin_hour": DateTime.from_iso_format("2020-10-25T00:30:00+00:00").astimezone(BERLIN),
    "time_offset": Time.from_iso_format("10:11:12.5+01:00"),
    "duration": Duration(months=14, days=-3, seconds=5, nanoseconds=7),
    "wgs": spatial.WGS84Point((8.4, 49.0)), "wgs3": spatial.WGS84Point((8.4, 49.0, 115.5)),
    "plane": spatial.CartesianPoint((1.5, -2.5)), "space": spatial.CartesianPoint((1.0, 2.0, 3.0)),
    "words": ["a", "ü", ""], "numbers": [1, 2, 3], "floats": [1.0, 2.5], "flags": [True, False],
    "dates": [Date(2000, 1, 1), Date(1999, 12, 31)], "points": [spatial.WGS84Point((1.0, 2.0))],
}  # fmt: skip


def fill(driver: neo4j.Driver, nodes: int = 3_000) -> None:
    """One of every type, parallel relationships, a loop, odd names, and `nodes` pipes in a chain."""
    with driver.session() as session:
        session.run(
            "CREATE (a:Odd:`with ``tick`` und ß` $p) CREATE (b {id: 'no label'}) "
            "CREATE (a)-[:`ODD ``TYPE` $p]->(b) CREATE (a)-[:TWICE {n: 1}]->(b) CREATE (a)-[:TWICE {n: 1}]->(b) "
            "CREATE (b)-[:BACK]->(a) CREATE (a)-[:LOOP {n: 2}]->(a)",
            p=EVERY_TYPE,
        ).consume()
        session.run(
            "UNWIND range(1, $n) AS i CREATE (:Component:Pipe {utility: 'u', id: 'P' + i, length_m: i * 0.1})", n=nodes
        ).consume()
        session.run(
            "UNWIND range(1, $n - 1) AS i MATCH (a:Component {utility: 'u', id: 'P' + i}) "
            "MATCH (b:Component {utility: 'u', id: 'P' + (i + 1)}) CREATE (a)-[:CONNECTED_TO {i: i}]->(b)",
            n=nodes,
        ).consume()
