"""A table of statements that are meant to hurt. Each is refused, or harmless, and leaves the server as it was."""

from __future__ import annotations

from collections.abc import Iterator

import neo4j
import pytest
from wnis_core.errors import BadRequest, Forbidden, InvalidValue
from wnis_graph.analyst.door import AnalystDoor
from wnis_graph.scope import Scope

from tests.conftest import Neo4jServer

MARK = "MadeByAHostileQuery"

WRITES = (
    "CREATE (n:{mark}) RETURN n",
    "MERGE (n:{mark} {{id: 1}})",
    "MATCH (n) SET n:{mark}",
    "MATCH (n) SET n.x = 1 RETURN n",
    "MATCH (n) REMOVE n.id",
    "MATCH (n) DELETE n",
    "MATCH (n) DETACH DELETE n",
    "MATCH (n) NODETACH DELETE n",
    "INSERT (n:{mark})",
    "FOREACH (x IN [1] | CREATE (:{mark}))",
    "CALL () {{ CREATE (x:{mark}) }} RETURN 1",
    "CALL {{ CREATE (x:{mark}) RETURN 1 AS y }} RETURN y",
    "MATCH (n) CALL (n) {{ CREATE (x:{mark}) }} IN TRANSACTIONS RETURN 1",
    "UNWIND [1] AS x CALL (x) {{ RETURN 1 AS y }} IN 2 CONCURRENT TRANSACTIONS RETURN y",
    "UNWIND [1] AS x CALL (x) {{ RETURN 1 AS y }} IN/**/TRANSACTIONS OF 1 ROW RETURN y",
    "RETURN 1 AS x UNION CREATE (n:{mark}) RETURN 1 AS x",
    "MATCH (n) RETURN n NEXT CREATE (:{mark})",
    "EXPLAIN CREATE (n:{mark})",
    "PROFILE CREATE (n:{mark})",
    "PROFILE RETURN 1",
    "/**/ PROFILE MATCH (n) DELETE n",
    "CYPHER runtime=slotted CREATE (n:{mark})",
    "CYPHER 25 CREATE (n:{mark})",
    "\\u0043REATE (n:{mark})",
    "RETURN '\\u0027 CREATE (n:{mark}) //'",
    "// \\u000aCREATE (n:{mark})",
    "/* \\u002a\\u002f CREATE (n:{mark}) */ RETURN 1",
    "RETURN 1; CREATE (n:{mark})",
    "RETURN '\\'; CREATE (n:{mark}) //'; CREATE (n:{mark})",
)
PROCEDURES = (
    "CALL dbms.listConfig()",
    "CALL dbms.listConfig() YIELD name, value RETURN name, value",
    "call `dbms`.`listConfig`() yield value return value",
    "CALL/**/dbms . listConfig()",
    "\\u0043ALL dbms.listConfig()",
    "CALL dbms.\\u006cistConfig()",
    "RETURN COLLECT {{ CALL dbms.listConfig() YIELD value RETURN value }} AS x",
    "RETURN EXISTS {{ CALL dbms.listConfig() YIELD value RETURN value }} AS x",
    "MATCH (n) WHERE COUNT {{ CALL dbms.components() YIELD name RETURN name }} > 0 RETURN n",
    "CALL dbms.components() YIELD name RETURN name",
    "CALL dbms.queryJmx('*:*') YIELD attributes RETURN attributes",
    "CALL dbms.info()",
    "CALL dbms.listConnections()",
    "CALL dbms.killConnection('bolt-1')",
    "CALL dbms.showCurrentUser()",
    "CALL dbms.setConfigValue('db.transaction.timeout', '0')",
    "CALL dbms.security.listUsers()",
    "CALL db.clearQueryCaches()",
    "CALL db.createLabel('{mark}')",
    "CALL db.createProperty('{mark}')",
    "CALL db.create.setNodeVectorProperty(null, 'x', [1.0])",
    "CALL db.awaitIndexes(1)",
    "CALL db.resampleIndex('x')",
    "CALL db.prepareForReplanning(1)",
    "CALL db.checkpoint()",
    "CALL db.info()",
    "CALL tx.getMetaData()",
    "CALL tx.setMetaData({{wnis_query: 'another'}})",
    "CALL apoc.load.json('http://127.0.0.1:1/')",
    "CALL apoc.cypher.runWrite('CREATE (:{mark})', {{}})",
)
SYSTEM = (
    "SHOW SETTINGS",
    "SHOW USERS",
    "show users yield * return *",
    "/* x */ SHOW TRANSACTIONS",
    "// x\nSHOW PROCEDURES YIELD name RETURN name",
    "SHOW CURRENT USER",
    "SHOW DATABASES",
    "SHOW INDEXES",
    "\u3000SHOW\u00a0USERS",
    "RETURN 1 AS x UNION SHOW USERS",
    "CALL {{ SHOW USERS YIELD user RETURN user }} RETURN user",
    "TERMINATE TRANSACTIONS 'neo4j-transaction-1'",
    "USE system MATCH (n) RETURN n",
    "USE `system` SHOW USERS",
    "USE graph.byName('system') MATCH (n) RETURN n",
    "CALL {{ USE neo4j RETURN 1 AS x }} RETURN x",
    "CALL {{ USE/**/system MATCH (n) RETURN n }} RETURN n",
    "CREATE INDEX hostile FOR (n:{mark}) ON (n.x)",
    "DROP CONSTRAINT component_id_unique",
    "CREATE USER mallory SET PASSWORD 'long-enough-1'",
    "ALTER CURRENT USER SET PASSWORD FROM 'a' TO 'b'",
    "CREATE DATABASE other",
    "STOP DATABASE neo4j",
    "GRANT ROLE admin TO mallory",
)
FILES = (
    "LOAD CSV FROM 'http://127.0.0.1:1/x' AS line RETURN line",
    "LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line",
    "LOAD/**/CSV FROM 'file:///etc/passwd' AS line RETURN line",
    "LOAD\u2003CSV WITH HEADERS FROM 'file:///x' AS line RETURN line",
    "LO\\u0041D CSV FROM 'file:///x' AS line RETURN line",
    "CALL {{ LOAD CSV FROM 'file:///x' AS line RETURN line }} RETURN line",
    "RETURN COLLECT {{ LOAD CSV FROM 'file:///x' AS line RETURN line }} AS x",
)
OUTGROWS = (
    "RETURN size(reduce(s = 'x', i IN range(1, 30) | s + s)) AS x",
    "RETURN REDUCE /* */ (s = 'x', i IN [1, 2, 3] | s + s) AS x",
    "WITH 'x' AS a " + "WITH a + a AS a " * 29 + "RETURN size(a) AS x",
    "WITH 'x' AS a " + "WITH a || a AS a " * 29 + "RETURN size(a) AS x",
    "RETURN size([i IN range(1, 100000000) | toString(i)]) AS x",
    "RETURN size([i IN `range`(1, 100000000) | i]) AS x",
    "RETURN range(1, 100000000) AS x",
    "UNWIND range(1, 100000000) + 1 AS x RETURN x",
    "WITH 'x' AS s RETURN size(replace(s, 'x', s)) AS x",
    "WITH 'x' AS s RETURN size(`replace` (s, 'x', s)) AS x",
    "WITH 'x' AS s RETURN size(split(s, '')) AS x",
    "UNWIND range(1, 5000000) AS i WITH collect(i) AS l RETURN size(toStringList(l)) AS x",
    "UNWIND range(1, 5000000) AS i WITH collect(i) AS l RETURN size([x IN l | toString(x)]) AS x",
    "UNWIND range(1, 5000000) AS i WITH {{l: collect(i)}} AS m RETURN size([x IN m.l | toString(x)]) AS x",
    "RETURN [x IN COLLECT {{ UNWIND range(1, 60000000) AS i RETURN i }} | toString(x)][3] AS x",
    "MATCH p = ()--() RETURN [n IN nodes(p) | [m IN nodes(p) | n.id]] AS x",
    "MATCH p = ()--() WHERE any(n IN nodes(p) WHERE all(m IN nodes(p) WHERE n.id < m.id)) RETURN p",
    "RETURN 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' =~ '(.*a){{20}}b' AS x",
    "RETURN 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' =~ '((a+)+)b' AS x",
    "RETURN 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!' =~ ('(.*a)' || '+b') AS x",
    "RETURN " + "(" * 5_000 + "1" + ")" * 5_000,
    "RETURN " + "[" * 5_000 + "]" * 5_000 + " AS x",
    "MATCH " + "(:Pipe)--" * 2_000 + "() RETURN 1",
    "RETURN 1 AS " + "x" * 30_000,
)
HOSTILE = (*WRITES, *PROCEDURES, *SYSTEM, *FILES, *OUTGROWS)


@pytest.fixture(scope="module")
def door(driver: neo4j.Driver, neo4j_server: Neo4jServer) -> Iterator[AnalystDoor]:
    def shape() -> list[object]:
        with driver.session() as session:
            return [
                session.run("SHOW INDEXES YIELD name RETURN collect(name)").single(strict=True)[0],
                session.run("SHOW CONSTRAINTS YIELD name RETURN collect(name)").single(strict=True)[0],
                session.run("SHOW USERS YIELD user RETURN collect(user)").single(strict=True)[0],
                session.run("SHOW DATABASES YIELD name, currentStatus RETURN collect([name, currentStatus])").single(
                    strict=True
                )[0],
                session.run("CALL db.labels() YIELD label WHERE label = $m RETURN count(*)", m=MARK).single(
                    strict=True
                )[0],
            ]

    before = shape()
    yield AnalystDoor(driver, neo4j_server.uri, neo4j_server.user, neo4j_server.password)
    assert shape() == before
    assert before[-1] == 0


@pytest.mark.parametrize("cypher", HOSTILE, ids=lambda text: text[:40].replace("\n", " "))
def test_a_hostile_query_is_refused(door: AnalystDoor, driver: neo4j.Driver, scope: Scope, cypher: str) -> None:
    with pytest.raises((Forbidden, BadRequest, InvalidValue)) as refusal:
        door.run(scope, cypher.format(mark=MARK), {"p": "(a+)+"}, timeout_s=5)

    assert "longer than" not in refusal.value.message, "it ran"
    driver.verify_connectivity()


@pytest.mark.parametrize(
    "cypher",
    [
        "MATCH (n) RETURN n.password_hash, n.password, n.secret, n.refresh_token",
        "CALL db.propertyKeys() YIELD propertyKey AS key WHERE toLower(key) CONTAINS 'password' "
        "OR toLower(key) CONTAINS 'secret' OR toLower(key) CONTAINS 'hash' AND NOT key ENDS WITH 'sha256' RETURN key",
    ],
)
def test_there_is_no_secret_to_find(door: AnalystDoor, scope: Scope, cypher: str) -> None:
    found = door.run(scope, cypher)

    assert {value for row in found.rows for value in row} <= {None}


@pytest.mark.parametrize(
    "cypher",
    [
        "MATCH p = (:Network)<-[:PART_OF]-() WHERE all(r IN relationships(p) WHERE type(r) = 'PART_OF') "
        "RETURN [n IN nodes(p)[1..] | n.name] AS names",
        "MATCH (n:Component) WHERE any(x IN labels(n) WHERE x IN ['Pipe', 'Pump']) RETURN count(n) AS c",
        "MATCH (i:Incident) WHERE i.narrative =~ '(?i).*crack.*' RETURN count(i) AS c",
        "UNWIND range(1, 3) AS i RETURN collect(i) AS l, sum(i) AS s",
        "MATCH (c:Component) RETURN c.use AS use, 'LOAD CSV; USE system; reduce(' AS `replace(x)` LIMIT 1",
        "CALL db.labels() YIELD label RETURN label",
        "RETURN [x IN $p WHERE x > 1 | x * 2] AS doubled",
    ],
)
def test_an_honest_query_is_answered(door: AnalystDoor, scope: Scope, cypher: str) -> None:
    assert door.run(scope, cypher, {"p": [1, 2, 3]}).columns


def test_the_table_is_long_enough() -> None:
    assert len(set(HOSTILE)) >= 100
