"""The graph model, declared once. DDL, reference page and write checks all come from here."""

from __future__ import annotations

from wnis_graph.schema.declaration import Kind, Label, Property, Relationship, Schema

S, I, F, B = Kind.STRING, Kind.INTEGER, Kind.FLOAT, Kind.BOOLEAN  # noqa: E741  # a table reads better with short names
DAY, TIME = Kind.DATE, Kind.DATETIME

JOB_STATES = ("queued", "running", "succeeded", "failed", "cancelled")
STATUSES = ("open", "closed", "active", "in_service", "out_of_service", "retired")
ORIGINS = ("file", "register", "hand")
HEALTHS = ("normal", "warning", "critical", "unknown")
INCIDENT_KINDS = ("break", "leak", "complaint", "quality", "outage")
SEVERITIES = ("low", "medium", "high", "critical")
FEEDBACK_STATES = ("new", "in_progress", "resolved", "closed")
FEEDBACK_CATEGORIES = ("bug", "feature_request", "usability", "performance", "other")
FEEDBACK_SOURCES = ("web", "mobile", "api")
ROLES = ("operator", "maintenance", "engineer", "manager", "analyst", "admin", "platform_admin")


def _tenant(*more: Property) -> tuple[Property, ...]:
    return (
        Property("id", S, "opaque identifier, unique in the utility", required=True),
        Property("utility", S, "id of the utility that owns the node", required=True),
        *more,
    )


_SYNTHETIC = Property("synthetic", B, "made by a generator, not observed; shown wherever a person sees it")
_RECORDED = Property("created_at", TIME, "when it was recorded")

LABELS: tuple[Label, ...] = (
    Label(
        "Utility",
        "A water utility: the owner of networks and the boundary of every query.",
        (
            Property("id", S, "identifier", required=True),
            Property("name", S, "name shown to people", required=True),
            Property("timezone", S, "IANA time zone of its clocks"),
            Property("display_units", S, "units shown by default", values=("si", "us")),
            Property("crs", S, "default coordinate reference system, as EPSG:n"),
            _RECORDED,
        ),
        tenant=False,
    ),
    Label(
        "User",
        "A person's identity. Password hashes, refresh families and API keys live in SQL.",
        (
            Property("id", S, "identifier", required=True),
            Property("username", S, "unique sign-in name", required=True),
            Property("active", B, "whether the person may sign in", required=True),
            _RECORDED,
            _SYNTHETIC,
        ),
        tenant=False,
        unique=("username",),
    ),
    Label(
        "Network",
        "One imported or hand-made network model.",
        _tenant(
            Property("name", S, "name shown to people", required=True),
            Property("title", S, "title lines of the source"),
            Property("source_sha256", S, "hash of the source file"),
            Property("source_name", S, "name of the source file"),
            Property("source_key", S, "key of the whole source file in the object store"),
            Property("flow_unit", S, "flow unit of the source (EPANET keyword)"),
            Property("headloss_formula", S, "head-loss formula (EPANET keyword)"),
            Property("duration_s", F, "length of the simulated period", unit="s"),
            Property("crs", S, "coordinate reference system of the source, as EPSG:n; absent when unknown"),
            Property("plane_x", F, "centre of a network without CRS, source coordinates", unit="1"),
            Property("plane_y", F, "centre of a network without CRS, source coordinates", unit="1"),
            Property("plane_scale", F, "degrees per source unit on the blank plane of a network without CRS", unit="1"),
            Property("revision", I, "counts the imports and edits", unit="1", required=True),
            Property("remarks", Kind.STRINGS, "what the import kept, reinterpreted or left out"),
            _RECORDED,
            Property("updated_at", TIME, "last import or edit"),
            _SYNTHETIC,
        ),
    ),
    Label(
        "Zone",
        "A district or pressure zone.",
        _tenant(
            Property("name", S, "name shown to people", required=True),
            Property("kind", S, "how it came about", required=True, values=("district", "pressure")),
        ),
    ),
    Label(
        "Component",
        "Anything in the ground: every component also carries its own label.",
        _tenant(
            Property("type", S, "the component's own label", required=True),
            Property("name", S, "name in the source or register", required=True),
            Property("source_id", S, "key of the source record"),
            Property("network", S, "id of its network", required=True),
            Property("origin", S, "how it came: a model file, an asset register, or by hand", required=True, values=ORIGINS),
            Property("status", S, "state of operation", required=True, values=STATUSES),
            Property("health", S, "map colour, by the rule in docs/guide/concepts.md", required=True, values=HEALTHS),
            Property("health_reason", S, "the evidence behind health, in words"),
            Property("install_date", DAY, "when it was laid or built"),
            Property("material", S, "material code"),
            Property("description", S, "free text of the source"),
            Property("tag", S, "tag of the source"),
            Property("manufacturer", S, "who made it"),
            Property("x", F, "source coordinate", unit="1"),
            Property("y", F, "source coordinate", unit="1"),
            Property("location", Kind.POINT, "WGS 84 (srid 4326), or source coordinates (srid 7203) without a CRS"),
            Property("shape", Kind.FLOATS, "flattened line of a link in the system of location", unit="1"),
            Property("vertices", Kind.FLOATS, "flattened bends of a link, source coordinates", unit="1"),
            Property("revision", I, "counts the changes of this component", unit="1", required=True),
            Property("retired_at", TIME, "when it was taken out of the network"),
            _RECORDED,
            Property("updated_at", TIME, "last change"),
            _SYNTHETIC,
        ),
        search=("name", "description", "material", "source_id"),
        indexed=("network", "type", "name", "source_id"),
        points=("location",),
    ),
    Label(
        "Junction",
        "Where links meet and water is taken.",
        (
            Property("elevation_m", F, "height above datum", unit="m", required=True),
            Property("base_demand_m3s", F, "sum of its demand categories before patterns", unit="m3/s"),
        ),
        base="Component",
    ),
    Label("Reservoir", "An outer source of fixed head.",
          (Property("head_m", F, "total head before its pattern", unit="m", required=True),), base="Component"),
    Label(
        "Tank",
        "A store whose level follows inflow and outflow.",
        (
            Property("elevation_m", F, "height of its bottom above datum", unit="m", required=True),
            Property("init_level_m", F, "initial level above elevation", unit="m"),
            Property("min_level_m", F, "lowest level above elevation", unit="m"),
            Property("max_level_m", F, "highest level above elevation", unit="m"),
            Property("diameter_m", F, "diameter of the equivalent cylinder", unit="m"),
            Property("min_volume_m3", F, "volume at the lowest level", unit="m3"),
            Property("capacity_m3", F, "volume when full", unit="m3"),
            Property("level_fraction", F, "level as a fraction of full, when stated by a register", unit="1"),
        ),
        base="Component",
    ),
    Label(
        "Pipe",
        "A pipe between two nodes.",
        (
            Property("length_m", F, "length", unit="m", required=True),
            Property("diameter_m", F, "inner diameter", unit="m", required=True),
            Property("roughness", F, "Hazen-Williams or Manning coefficient; m under Darcy-Weisbach", unit="1"),
            Property("minor_loss", F, "minor-loss coefficient", unit="1"),
            Property("check_valve", B, "lets water through in its own direction only"),
            Property("lined_date", DAY, "when it was lined"),
        ),
        base="Component",
    ),
    Label(
        "Pump",
        "A pump, from suction to discharge.",
        (
            Property("power_w", F, "constant power", unit="W"),
            Property("head_curve", S, "name of its head curve in the source"),
            Property("speed", F, "relative speed", unit="1"),
        ),
        base="Component",
    ),
    Label(
        "Valve",
        "A control valve of the model or an isolation valve of a register.",
        (
            Property("valve_kind", S, "kind of valve", required=True,
                     values=("prv", "psv", "pbv", "fcv", "tcv", "gpv", "gate", "butterfly", "ball", "plug", "check")),
            Property("diameter_m", F, "diameter", unit="m", required=True),
            Property("setting", F, "SI: m (PRV, PSV, PBV), m3/s (FCV), loss coefficient (TCV)", unit="1"),
            Property("minor_loss", F, "minor-loss coefficient when open", unit="1"),
        ),
        base="Component",
    ),
    Label("Hydrant", "A fire hydrant.", (), base="Component"),
    Label("Sensor", "A measuring device.", (Property("quantity", S, "what it measures"),), base="Component"),
    Label(
        "ServiceConnection",
        "Where customers take water from the network.",
        _tenant(
            Property("name", S, "name of the connection or customer", required=True),
            Property("customers", I, "people or households served", unit="person", required=True),
            Property("critical", B, "a hospital, school or the like", required=True),
            _SYNTHETIC,
        ),
    ),
    Label(
        "Incident",
        "Something that happened: a break, leak, complaint, quality problem or outage.",
        _tenant(
            Property("source_id", S, "key of the source record"),
            Property("kind", S, "kind of incident", required=True, values=INCIDENT_KINDS),
            Property("narrative", S, "what people wrote about it"),
            Property("occurred_at", TIME, "when it happened", required=True),
            Property("available_at", TIME, "when it was known; predictions as of earlier must not use it", required=True),
            Property("severity", S, "how bad", values=SEVERITIES),
            Property("status", S, "whether it still needs work", required=True, values=("open", "closed")),
            Property("cause", S, "coded or written cause"),
            Property("repair", S, "how it was mended"),
            Property("location", Kind.POINT, "WGS 84 (srid 4326), or source coordinates (srid 7203)"),
            _RECORDED,
            _SYNTHETIC,
        ),
        search=("narrative", "cause", "repair"),
        indexed=("occurred_at", "kind"),
    ),
    Label(
        "Feedback",
        "What a user said about the system, a component or a prediction.",
        _tenant(
            Property("source", S, "where it came from", required=True, values=FEEDBACK_SOURCES),
            Property("category", S, "what it is about", required=True, values=FEEDBACK_CATEGORIES),
            Property("content", S, "the words", required=True),
            Property("rating", I, "1 (bad) to 5 (good)", unit="1"),
            Property("component_type", S, "type of component, as stated by the user"),
            Property("status", S, "state of work", required=True, values=FEEDBACK_STATES),
            Property("resolution", S, "what was done"),
            Property("submitted_at", TIME, "when it was sent", required=True),
            Property("updated_at", TIME, "last change", required=True),
            _SYNTHETIC,
        ),
        indexed=("submitted_at",),
    ),
    Label(
        "Model",
        "A prediction task with its line of versions.",
        _tenant(
            Property("name", S, "name of the model", required=True),
            Property("task", S, "what it predicts", required=True),
            _RECORDED,
        ),
    ),
    Label(
        "ModelVersion",
        "One trained model: file, data, and the judgement it is shown with.",
        _tenant(
            Property("model_name", S, "name of its model", required=True),
            Property("version", S, "version within the model", required=True),
            Property("sha256", S, "hash of the model file", required=True),
            Property("file_key", S, "key of the model file in the object store", required=True),
            Property("signer", S, "fingerprint of the key that signed the file", required=True),
            Property("train_from", DAY, "first day of the training window", required=True),
            Property("train_to", DAY, "last day of the training window", required=True),
            Property("judged_from", DAY, "first day of the later period it was judged on"),
            Property("judged_to", DAY, "last day of the later period it was judged on"),
            Property("data_sha256", S, "hash of the training data", required=True),
            Property("metrics_json", S, "metrics beside their baselines, as JSON", required=True),
            Property("seed", I, "seed of its random numbers", unit="1", required=True),
            Property("state", S, "current: scores new components", required=True, values=("current", "superseded")),
            _RECORDED,
        ),
    ),
    Label(
        "Prediction",
        "What one model version believed about one component at one time. Immutable.",
        _tenant(
            Property("component_id", S, "the component it is about", required=True),
            Property("model_name", S, "name of the model", required=True),
            Property("model_version", S, "version of the model", required=True),
            Property("created_at", TIME, "when it was computed", required=True),
            Property("as_of", TIME, "only what was known at this moment was used", required=True),
            Property("knot_days", Kind.FLOATS, "horizons of the survival curve", unit="day", required=True),
            Property("knot_probability", Kind.FLOATS, "probability of failure within the horizon", unit="1", required=True),
            Property("knot_low", Kind.FLOATS, "lower bound of the 90% interval", unit="1", required=True),
            Property("knot_high", Kind.FLOATS, "upper bound of the 90% interval", unit="1", required=True),
            Property("factors_json", S, "contributions to the log-odds with the feature values, as JSON", required=True),
            Property("base_value", F, "log-odds without any factor", unit="1", required=True),
            Property("input_sha256", S, "hash of the features that went in", required=True),
            Property("inputs_json", S, "the features that went in, as JSON", required=True),
        ),
        indexed=("component_id", "created_at"),
    ),
    Label(
        "SimulationRun",
        "One run of a network in the hydraulic engine.",
        _tenant(
            Property("network", S, "id of the network", required=True),
            Property("kind", S, "what was run", required=True, values=("hydraulic",)),
            Property("engine", S, "name of the engine", required=True),
            Property("engine_version", S, "version of the engine", required=True),
            Property("demand_model", S, "demand driven (DDA) or pressure dependent (PDA)", values=("DDA", "PDA")),
            Property("input_sha256", S, "hash of the exact input of the engine"),
            Property("network_revision", I, "revision of the network that was run", unit="1"),
            Property("state", S, "state of the run", required=True, values=JOB_STATES),
            Property("warnings", Kind.STRINGS, "what the engine warned of"),
            Property("requested_by", S, "who asked"),
            Property("job_id", S, "the job that ran it"),
            Property("started_at", TIME, "start"),
            Property("finished_at", TIME, "end"),
            Property("duration_s", F, "simulated period", unit="s"),
            Property("steps", I, "reported steps", unit="1"),
            Property("nodes_key", S, "key of the node series in the object store"),
            Property("links_key", S, "key of the link series in the object store"),
            _RECORDED,
        ),
        indexed=("network",),
    ),
    Label(
        "SimulationResult",
        "Summary of one component over one run. Immutable.",
        _tenant(
            Property("run_id", S, "the run", required=True),
            Property("component_id", S, "the component", required=True),
            Property("pressure_min_m", F, "lowest pressure", unit="m"),
            Property("pressure_mean_m", F, "mean pressure over time", unit="m"),
            Property("pressure_max_m", F, "highest pressure", unit="m"),
            Property("head_min_m", F, "lowest head", unit="m"),
            Property("head_mean_m", F, "mean head over time", unit="m"),
            Property("head_max_m", F, "highest head", unit="m"),
            Property("demand_mean_m3s", F, "mean delivered demand", unit="m3/s"),
            Property("low_pressure_s", F, "time below the threshold of the run", unit="s"),
            Property("low_pressure_threshold_m", F, "threshold of low_pressure_s", unit="m"),
            Property("flow_min_m3s", F, "lowest flow; negative runs from end to start", unit="m3/s"),
            Property("flow_mean_m3s", F, "mean flow over time", unit="m3/s"),
            Property("flow_max_m3s", F, "highest flow", unit="m3/s"),
            Property("velocity_mean_ms", F, "mean velocity", unit="m/s"),
            Property("velocity_max_ms", F, "highest velocity", unit="m/s"),
            Property("headloss_mean_m", F, "mean head loss from start to end", unit="m"),
            Property("headloss_max_m", F, "greatest head loss from start to end", unit="m"),
        ),
        indexed=("run_id", "component_id"),
    ),
    Label(
        "Revision",
        "A recorded change: what, old and new, by whom. Immutable.",
        _tenant(
            Property("subject_id", S, "id of what changed", required=True),
            Property("action", S, "what was done", required=True, values=("create", "update", "retire", "import", "restore")),
            Property("old_json", S, "changed properties before, as JSON"),
            Property("new_json", S, "changed properties after, as JSON"),
            Property("recorded_by", S, "who", required=True),
            Property("recorded_at", TIME, "when", required=True),
        ),
        indexed=("subject_id",),
    ),
    Label(
        "Job",
        "Projection of a durable job of the simulator or ml service.",
        _tenant(
            Property("kind", S, "what it does", required=True),
            Property("service", S, "who executes it", required=True),
            Property("state", S, "state", required=True, values=JOB_STATES),
            Property("progress", F, "0 to 1", unit="1", required=True),
            Property("message", S, "what it is doing"),
            Property("result_json", S, "its result, as JSON"),
            Property("error_json", S, "its problem document, as JSON"),
            Property("requested_by", S, "who asked", required=True),
            Property("created_at", TIME, "when asked", required=True),
            Property("finished_at", TIME, "when it ended"),
        ),
        indexed=("created_at",),
    ),
    Label(
        "Outbox",
        "What a derived store still has to learn; written with the change itself.",
        _tenant(
            Property("store", S, "the derived store", required=True, values=("incident_index",)),
            Property("subject_id", S, "id of what changed", required=True),
            Property("action", S, "what to do there", required=True, values=("upsert", "delete")),
            Property("recorded_at", TIME, "when", required=True),
        ),
        indexed=("store", "recorded_at"),
    ),
    Label(
        "Migration",
        "A numbered change of this graph's schema that has been applied.",
        (
            Property("id", S, "number and name", required=True),
            Property("sha256", S, "hash of its statements", required=True),
            Property("state", S, "running or done", required=True, values=("running", "done")),
            Property("started_at", TIME, "when it began"),
            Property("finished_at", TIME, "when it was done"),
        ),
        tenant=False,
    ),
    Label(
        "Lease",
        "A named lock with an end, so that two starters do not migrate at once.",
        (
            Property("id", S, "what is locked", required=True),
            Property("holder", S, "who holds it", required=True),
            Property("until", TIME, "when it ends by itself", required=True),
        ),
        tenant=False,
    ),
)  # fmt: skip

_C = ("Component",)

RELATIONSHIPS: tuple[Relationship, ...] = (
    Relationship("MEMBER_OF", ("User",), ("Utility",), "may work for the utility in a role",
                 (Property("role", S, "role", required=True, values=ROLES),)),
    Relationship("OPERATED_BY", ("Network",), ("Utility",), "owner of the network"),
    Relationship("PART_OF", ("Component", "Zone"), ("Zone", "Network"), "lies in the zone or network"),
    Relationship("CONNECTED_TO", _C, _C, "joint, in link direction: start node to link, link to end node"),
    Relationship("LOCATED_ON", ("Valve",), ("Pipe",), "sits on the pipe",
                 (Property("near", S, "id of the pipe's nearer end node", required=True),
                  Property("offset_m", F, "distance from that node; 0 splits nothing", unit="m", required=True))),
    Relationship("MEASURES", ("Sensor",), _C, "observes",
                 (Property("quantity", S, "what is measured", required=True),)),
    Relationship("SERVED_BY", ("ServiceConnection",), _C, "takes its water from"),
    Relationship("AFFECTED", ("Incident",), _C, "happened to"),
    Relationship("ABOUT", ("Feedback", "Prediction", "SimulationResult"), ("Component", "Prediction"), "is about"),
    Relationship("SUBMITTED_BY", ("Feedback",), ("User",), "who sent it"),
    Relationship("VERSION_OF", ("ModelVersion",), ("Model",), "is a version of"),
    Relationship("MADE", ("ModelVersion",), ("Prediction",), "computed it"),
    Relationship("USED_IN", ("Incident",), ("Prediction",), "was known and used",
                 (Property("influence_weight", F, "change of log-odds when the incident is taken away", unit="1",
                           required=True),
                  Property("retrieval_rank", I, "rank by influence, 1 first", unit="1", required=True))),
    Relationship("INFORMED", ("SimulationRun",), ("Prediction",), "gave inputs to it"),
    Relationship("SUPERSEDES", ("Prediction", "ModelVersion"), ("Prediction", "ModelVersion"), "replaces as belief"),
    Relationship("OF", ("SimulationRun",), ("Network",), "ran the network"),
    Relationship("PRODUCED", ("SimulationRun", "Job"),
                 ("SimulationResult", "SimulationRun", "Prediction", "ModelVersion", "Network"), "wrote"),
    Relationship("CHANGED", ("Revision",), ("Component", "Network"), "records a change of"),
)  # fmt: skip

SCHEMA = Schema(LABELS, RELATIONSHIPS)
COMPONENT_LABELS = tuple(label.name for label in LABELS if label.base == "Component")
