"""Who may talk to whom: the policies, evaluated as the API defines them."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tests.component.kubernetes.cluster import NAME, Cluster, Document, matches

_GRAPH, _SQL, _DNS = 7687, 5432, 53
_MONITORING = {"kubernetes.io/metadata.name": "monitoring"}
_INGRESS = {"kubernetes.io/metadata.name": "ingress-nginx"}


def _permits(rule: Document, end: str, peer: str | None, namespace: Mapping[str, str] | None, port: int) -> bool:
    if port not in {p["port"] for p in rule["ports"]}:
        return False
    for one in rule[end]:
        if "namespaceSelector" in one:
            if namespace is not None and matches(one["namespaceSelector"], namespace):
                return True
        elif "podSelector" in one and peer is not None and matches(one["podSelector"], {NAME: peer}):
            return True
    return False


def _open(cluster: Cluster, direction: str, pod: str, peer: str | None, port: int,
          namespace: Mapping[str, str] | None = None) -> bool:  # fmt: skip
    """Whether the policies of `pod` let it send to (Egress) or receive from (Ingress) the peer."""
    policies = [
        p["spec"]
        for p in cluster.of("NetworkPolicy")
        if matches(p["spec"]["podSelector"], {NAME: pod}) and direction in p["spec"]["policyTypes"]
    ]
    assert policies, "default-deny chooses every pod"
    rules, end = ("egress", "to") if direction == "Egress" else ("ingress", "from")
    return any(_permits(rule, end, peer, namespace, port) for policy in policies for rule in policy.get(rules, []))


def _reaches(cluster: Cluster, pod: str, peer: str, port: int) -> bool:
    return _open(cluster, "Egress", pod, peer, port) and _open(cluster, "Ingress", peer, pod, port)


@pytest.mark.parametrize(
    ("pod", "peer", "port"),
    [
        ("web-interface", "api-service", 8080),
        ("api-service", "neo4j", _GRAPH),
        ("api-service", "simulator", 8081),
        ("api-service", "ml", 8082),
        ("api-service", "request-counters", 6379),
        ("simulator", "neo4j", _GRAPH),
        ("ml", "neo4j", _GRAPH),
        ("migrate", "neo4j", _GRAPH),
    ],
)
def test_what_has_to_talk_can(cluster: Cluster, pod: str, peer: str, port: int) -> None:
    assert _reaches(cluster, pod, peer, port)


@pytest.mark.parametrize("pod", ["api-service", "simulator", "ml", "migrate"])
def test_the_clients_of_the_database_reach_it(cluster: Cluster, pod: str) -> None:
    if "postgres" in {w.name for w in cluster.workloads}:
        assert _reaches(cluster, pod, "postgres", _SQL)
    else:
        policy = cluster.one("NetworkPolicy", "database-clients")["spec"]
        assert matches(policy["podSelector"], {NAME: pod})
        assert policy["egress"][0]["ports"] == [{"protocol": "TCP", "port": _SQL}]
        # a cloud's metadata service hands out credentials
        assert policy["egress"][0]["to"][0]["ipBlock"]["except"] == ["169.254.169.254/32"]


def test_nothing_else_is_open_between_pods(cluster: Cluster) -> None:
    names = sorted(w.name for w in cluster.workloads)
    clients = [n for n in ("api-service", "simulator", "ml", "migrate", "backup") if n in names]
    ports = {p["containerPort"] for w in cluster.workloads for c in w.containers for p in c.get("ports", [])}
    reached = {(a, b) for a in names for b in names for port in ports if _reaches(cluster, a, b, port)}
    graph = {(a, "neo4j") for a in (*clients, "model-snapshot") if a in names}
    inner = {("api-service", b) for b in ("simulator", "ml", "request-counters")}
    sql = {(a, "postgres") for a in clients} if "postgres" in names else set()
    front = {(a, "api-service") for a in ("web-interface", "backup") if a in names}
    assert reached == graph | inner | sql | front


def test_from_outside_only_the_page_is_reached_and_metrics_by_monitoring(cluster: Cluster) -> None:
    def entered(namespace: Mapping[str, str]) -> set[tuple[str, int]]:
        ports = {p["containerPort"] for w in cluster.workloads for c in w.containers for p in c.get("ports", [])}
        return {
            (w.name, port)
            for w in cluster.workloads
            for port in ports
            if _open(cluster, "Ingress", w.name, None, port, namespace)
        }

    assert entered(_INGRESS) == {("web-interface", 8080)}
    assert entered(_MONITORING) == {("api-service", 8080), ("simulator", 8081), ("ml", 8082)}
    assert entered({"kubernetes.io/metadata.name": "somebody-else"}) == set()


def test_everybody_may_look_up_names(cluster: Cluster) -> None:
    system = {"kubernetes.io/metadata.name": "kube-system"}
    for workload in cluster.workloads:
        assert _open(cluster, "Egress", workload.name, None, _DNS, system)


def test_every_policy_chooses_a_pod(cluster: Cluster) -> None:
    for policy in cluster.of("NetworkPolicy"):
        assert any(matches(policy["spec"]["podSelector"], w.labels) for w in cluster.workloads)
