"""The questions that come with the system, as Cypher."""

from __future__ import annotations

from typing import Any

from wnis_graph.query import Access, Query
from wnis_graph.questions import Parameter, ParameterKind, Question
from wnis_graph.values import native

QUESTIONS: dict[str, Question] = {}

_AS_OF = Parameter("as_of", ParameterKind.DATE, "the day to reckon from", "today")


def _integer(name: str, default: int, description: str) -> Parameter:
    return Parameter(name, ParameterKind.INTEGER, description, default)


def _question(name: str, title: str, columns: str, cypher: str, *parameters: Parameter) -> None:
    """Declare a question; its Cypher returns a column for each of `columns` and is cut at ``$most`` rows."""
    names = tuple(columns.split())

    def row(record: Any) -> tuple[Any, ...]:
        return tuple(native(record[column]) for column in names)

    query = Query(f"questions.{name.replace('-', '_')}", Access.READ, f"{cypher}\n    LIMIT $most", row, timeout_s=20)
    QUESTIONS[name] = Question(name, title, names, parameters, query)


_question(
    "old-pipes-feeding-critical-customers",
    "Pipes older than some years that a hospital, school or the like takes its water from, directly or through the "
    "node at their end; pipes whose flow in the last run went away from that node are left out.",
    "pipe name install_date age_years material diameter_m flow_mean_m3s critical_customers",
    """
    MATCH (s:ServiceConnection {utility: $utility, critical: true})-[:SERVED_BY]->(c:Component {utility: $utility})
    CALL (c) {
      WITH c WHERE c:Pipe RETURN c AS p, 0 AS towards
      UNION MATCH (c)-[:CONNECTED_TO]->(p:Pipe {utility: $utility}) RETURN p, -1 AS towards
      UNION MATCH (c)<-[:CONNECTED_TO]-(p:Pipe {utility: $utility}) RETURN p, 1 AS towards
    }
    WITH DISTINCT s, p, towards
    WHERE p.retired_at IS NULL AND p.install_date <= $as_of - duration({years: $years})
    OPTIONAL MATCH (run:SimulationRun {utility: $utility, network: p.network, kind: 'hydraulic', state: 'succeeded'})
    WITH s, p, towards, run ORDER BY run.finished_at DESC, run.id
    WITH s, p, towards, head(collect(run.id)) AS run
    OPTIONAL MATCH (r:SimulationResult {utility: $utility, run_id: run, component_id: p.id})
    WITH s, p, r.flow_mean_m3s AS flow, towards WHERE flow IS NULL OR towards * flow >= 0
    RETURN p.id AS pipe, p.name AS name, p.install_date AS install_date,
      duration.between(p.install_date, $as_of).years AS age_years, p.material AS material,
      p.diameter_m AS diameter_m, flow AS flow_mean_m3s, collect(DISTINCT s.name) AS critical_customers
    ORDER BY install_date, pipe""",
    _integer("years", 80, "age from which a pipe is old, in years"), _AS_OF,
)  # fmt: skip

_question(
    "components-with-repeated-incidents",
    "Components with a number of incidents within a time.",
    "component type name incidents kinds first last",
    """
    MATCH (i:Incident {utility: $utility})-[:AFFECTED]->(c:Component {utility: $utility})
    WHERE date(i.occurred_at) > $as_of - duration({days: $days}) AND date(i.occurred_at) <= $as_of
    WITH c, count(DISTINCT i) AS incidents, collect(DISTINCT i.kind) AS kinds, min(i.occurred_at) AS first,
      max(i.occurred_at) AS last
    WHERE incidents >= $incidents
    RETURN c.id AS component, c.type AS type, c.name AS name, incidents, kinds, first, last
    ORDER BY incidents DESC, component""",
    _integer("incidents", 3, "how many at least"), _integer("days", 730, "within how many days"), _AS_OF,
)  # fmt: skip

_question(
    "predictions-contradicted-by-feedback",
    "Predictions that people rated badly, with their words.",
    "prediction component created_at model_version rating content submitted_at",
    """
    MATCH (f:Feedback {utility: $utility})-[:ABOUT]->(p:Prediction {utility: $utility})
    WHERE f.rating <= $rating
    RETURN p.id AS prediction, p.component_id AS component, p.created_at AS created_at,
      p.model_version AS model_version, f.rating AS rating, f.content AS content, f.submitted_at AS submitted_at,
      f.id AS id
    ORDER BY submitted_at DESC, prediction, id""",
    _integer("rating", 2, "the best rating that contradicts, 1 to 5"),
)  # fmt: skip

_question(
    "pipes-without-install-date-by-zone",
    "How many pipes of each zone have no install date; pipes in no zone are counted together.",
    "zone zone_name pipes without_install_date share",
    """
    MATCH (p:Pipe {utility: $utility}) WHERE p.retired_at IS NULL
    OPTIONAL MATCH (p)-[:PART_OF]->(z:Zone {utility: $utility})
    WITH z, count(p) AS pipes, sum(CASE WHEN p.install_date IS NULL THEN 1 ELSE 0 END) AS missing
    RETURN z.id AS zone, z.name AS zone_name, pipes, missing AS without_install_date,
      toFloat(missing) / pipes AS share
    ORDER BY share DESC, zone""",
)  # fmt: skip

_question(
    "critical-customers-on-one-feed",
    "Critical customers whose node is reached by so few open links, or who sit on a pipe.",
    "connection name customers component open_links",
    """
    MATCH (s:ServiceConnection {utility: $utility, critical: true})-[:SERVED_BY]->(c:Component {utility: $utility})
    OPTIONAL MATCH (c)-[:CONNECTED_TO]-(link:Component {utility: $utility})
    WHERE NOT c:Pipe AND (link:Pipe OR link:Pump OR link:Valve) AND link.status <> 'closed' AND link.retired_at IS NULL
    WITH s, c, CASE WHEN c:Pipe THEN 1 ELSE count(DISTINCT link) END AS links WHERE links <= $at_most
    RETURN s.id AS connection, s.name AS name, s.customers AS customers, c.id AS component, links AS open_links
    ORDER BY customers DESC, connection, component""",
    _integer("at_most", 1, "how many open links at most"),
)  # fmt: skip

_question(
    "mains-broken-again",
    "Pipes that broke or leaked again within some days.",
    "pipe name material first_incident first_at first_repair second_incident second_at days_between",
    """
    MATCH (a:Incident {utility: $utility})-[:AFFECTED]->(p:Pipe {utility: $utility})
    MATCH (b:Incident {utility: $utility})-[:AFFECTED]->(p)
    WHERE a.kind IN ['break', 'leak'] AND b.kind IN ['break', 'leak']
      AND (a.occurred_at < b.occurred_at OR (a.occurred_at = b.occurred_at AND a.id < b.id))
      AND b.occurred_at <= a.occurred_at + duration({days: $days})
    RETURN p.id AS pipe, p.name AS name, p.material AS material, a.id AS first_incident, a.occurred_at AS first_at,
      a.repair AS first_repair, b.id AS second_incident, b.occurred_at AS second_at,
      duration.inDays(a.occurred_at, b.occurred_at).days AS days_between
    ORDER BY days_between, pipe, first_incident, second_incident""",
    _integer("days", 365, "within how many days"),
)  # fmt: skip

_question(
    "likely-failures-with-many-customers",
    "Components whose latest prediction gives a high probability of failure and that many customers depend on "
    "directly or through the node at their end; the probability is that of the first knot not before the horizon.",
    "component type name probability within_days customers",
    """
    MATCH (p:Prediction {utility: $utility})-[:ABOUT]->(c:Component {utility: $utility}) WHERE c.retired_at IS NULL
    WITH c, p ORDER BY p.created_at DESC, p.id
    WITH c, head(collect(p)) AS p
    WITH c, p, coalesce(
      head([k IN range(0, size(p.knot_days) - 1) WHERE p.knot_days[k] >= $horizon]), size(p.knot_days) - 1) AS k
    WITH c, p.knot_probability[k] AS probability, p.knot_days[k] AS within_days WHERE probability >= $probability
    CALL (c) {
      MATCH (s:ServiceConnection {utility: $utility})-[:SERVED_BY]->(c) RETURN s
      UNION
      MATCH (c)-[:CONNECTED_TO]-(:Component {utility: $utility})<-[:SERVED_BY]-(s:ServiceConnection {utility: $utility})
      RETURN s
    }
    WITH c, probability, within_days, sum(s.customers) AS customers WHERE customers >= $customers
    RETURN c.id AS component, c.type AS type, c.name AS name, probability, within_days, customers
    ORDER BY probability * customers DESC, component""",
    Parameter("probability", ParameterKind.NUMBER, "probability from which it is high, 0 to 1", 0.1),
    _integer("customers", 50, "customers from which there are many"),
    _integer("horizon", 365, "days ahead"),
)  # fmt: skip

_question(
    "valves-of-unknown-position",
    "Valves for isolation of which nobody recorded whether they are open or closed.",
    "valve name kind diameter_m status network",
    """
    MATCH (v:Valve {utility: $utility})
    WHERE v.retired_at IS NULL AND v.valve_kind IN $kinds AND NOT v.status IN $known
    RETURN v.id AS valve, v.name AS name, v.valve_kind AS kind, v.diameter_m AS diameter_m, v.status AS status,
      v.network AS network
    ORDER BY diameter_m DESC, valve""",
    Parameter("kinds", ParameterKind.TEXTS, "kinds of valves", ("gate", "butterfly", "ball", "plug")),
    Parameter("known", ParameterKind.TEXTS, "states that tell a position", ("open", "closed")),
)  # fmt: skip

_question(
    "runs-older-than-the-network",
    "The last successful run of each network that has been changed since.",
    "network name network_revision run run_revision behind finished_at",
    """
    MATCH (n:Network {utility: $utility})
    MATCH (r:SimulationRun {utility: $utility, network: n.id, kind: 'hydraulic', state: 'succeeded'})
    WITH n, r ORDER BY r.finished_at DESC, r.id
    WITH n, head(collect(r)) AS r WHERE n.revision - r.network_revision >= $behind
    RETURN n.id AS network, n.name AS name, n.revision AS network_revision, r.id AS run,
      r.network_revision AS run_revision, n.revision - r.network_revision AS behind, r.finished_at AS finished_at
    ORDER BY behind DESC, network""",
    _integer("behind", 1, "how many revisions at least"),
)  # fmt: skip

_question(
    "incidents-near-a-component",
    "Incidents at a component and up to four joints away, with the distance in joints.",
    "incident kind occurred_at component joints narrative",
    """
    MATCH p = (:Component {utility: $utility, id: $component})-[:CONNECTED_TO*0..4]-(c:Component {utility: $utility})
    WITH c, min(length(p)) AS joints
    MATCH (i:Incident {utility: $utility})-[:AFFECTED]->(c)
    RETURN i.id AS incident, i.kind AS kind, i.occurred_at AS occurred_at, c.id AS component, joints,
      i.narrative AS narrative
    ORDER BY joints, occurred_at DESC, incident, component""",
    Parameter("component", ParameterKind.TEXT, "id of the component"),
)  # fmt: skip

_question(
    "sensors-without-measurements",
    "Sensors that measure nothing, or fewer components than given.",
    "sensor name quantity status measured_components",
    """
    MATCH (s:Sensor {utility: $utility}) WHERE s.retired_at IS NULL
    OPTIONAL MATCH (s)-[:MEASURES]->(c:Component {utility: $utility})
    WITH s, count(c) AS measured WHERE measured <= $at_most
    RETURN s.id AS sensor, s.name AS name, s.quantity AS quantity, s.status AS status, measured AS measured_components
    ORDER BY sensor""",
    _integer("at_most", 0, "how many measured components at most"),
)  # fmt: skip

_question(
    "pipes-by-material-and-age",
    "Number and length of pipes by material and age band; pipes without install date have no band.",
    "material from_age_years pipes length_km breaks_and_leaks",
    """
    MATCH (p:Pipe {utility: $utility}) WHERE p.retired_at IS NULL
    WITH p, duration.between(p.install_date, $as_of).years / $band_years * $band_years AS from_age,
      COUNT { MATCH (i:Incident {utility: $utility})-[:AFFECTED]->(p) WHERE i.kind IN ['break', 'leak'] } AS broke
    RETURN p.material AS material, from_age AS from_age_years, count(p) AS pipes, sum(p.length_m) / 1000 AS length_km,
      sum(broke) AS breaks_and_leaks
    ORDER BY material, from_age_years""",
    Parameter("band_years", ParameterKind.INTEGER, "width of an age band, in years", 20, least=1), _AS_OF,
)  # fmt: skip

_question(
    "repeat-complaints-by-zone",
    "Zones with repeated complaints, or incidents of another kind, within a time.",
    "zone zone_name incidents components last",
    """
    MATCH (i:Incident {utility: $utility, kind: $kind})-[:AFFECTED]->(c:Component {utility: $utility})
    WHERE date(i.occurred_at) > $as_of - duration({days: $days}) AND date(i.occurred_at) <= $as_of
    MATCH (c)-[:PART_OF]->(z:Zone {utility: $utility})
    WITH z, count(DISTINCT i) AS incidents, count(DISTINCT c) AS components, max(i.occurred_at) AS last
    WHERE incidents >= $at_least
    RETURN z.id AS zone, z.name AS zone_name, incidents, components, last
    ORDER BY incidents DESC, zone""",
    Parameter("kind", ParameterKind.TEXT, "kind of incident", "complaint"),
    _integer("at_least", 2, "how many at least"), _integer("days", 365, "within how many days"), _AS_OF,
)  # fmt: skip

_question(
    "pumps-with-warnings-in-the-last-run",
    "Pumps of networks whose last successful run had warnings; those that name the pump come first.",
    "pump name network run finished_at named_in warnings",
    """
    MATCH (r:SimulationRun {utility: $utility, kind: 'hydraulic', state: 'succeeded'})
    WITH r ORDER BY r.finished_at DESC, r.id
    WITH r.network AS network, head(collect(r)) AS r WHERE size(r.warnings) > 0
    MATCH (p:Pump {utility: $utility, network: network}) WHERE p.retired_at IS NULL
    RETURN p.id AS pump, p.name AS name, network, r.id AS run, r.finished_at AS finished_at,
      [w IN r.warnings WHERE w CONTAINS p.name] AS named_in, r.warnings AS warnings
    ORDER BY size(named_in) DESC, pump""",
)  # fmt: skip

_question(
    "open-feedback-by-component",
    "Components and predictions about which people wrote something that nobody has dealt with.",
    "component type name open_feedback oldest contents",
    """
    MATCH (f:Feedback {utility: $utility}) WHERE f.status IN ['new', 'in_progress']
    CALL (f) {
      MATCH (f)-[:ABOUT]->(c:Component {utility: $utility}) RETURN c
      UNION MATCH (f)-[:ABOUT]->(:Prediction {utility: $utility})-[:ABOUT]->(c:Component {utility: $utility}) RETURN c
    }
    WITH c, f ORDER BY f.submitted_at, f.id
    RETURN c.id AS component, c.type AS type, c.name AS name, count(DISTINCT f) AS open_feedback,
      min(f.submitted_at) AS oldest, collect(DISTINCT f.content) AS contents
    ORDER BY open_feedback DESC, component""",
)  # fmt: skip
