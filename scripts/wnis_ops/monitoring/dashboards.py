"""The five dashboards."""

from __future__ import annotations

from wnis_ops.monitoring.panels import Dashboard, Look, Panel, Series, Unit, Variable

FOLDER = "monitoring/grafana/dashboards"

_USERS = 'job="api-service",endpoint!~"/health|/ready|/metrics"'
_RATE = "[$__rate_interval]"
_UTILITY = Variable("utility", "Utility", "label_values(wnis_components, utility)")
_OURS = 'utility=~"$utility"'


def _lines(
    title: str, unit: Unit, *series: tuple[str, str], words: str = "", width: int = 12, stacked: bool = False
) -> Panel:
    return Panel(title, tuple(Series(*one) for one in series), unit, words=words, width=width, stacked=stacked)


def _number(title: str, unit: Unit, expr: str, legend: str = "", *, words: str = "", width: int = 4) -> Panel:
    return Panel(title, (Series(expr, legend),), unit, Look.NUMBER, words, width, height=5)


def _table(title: str, expr: str, *, words: str = "", width: int = 12) -> Panel:
    return Panel(title, (Series(expr),), look=Look.TABLE, words=words, width=width)


def _age(metric: str, by: str) -> str:
    return f"time() - max by ({by}) ({metric})"


def _prediction_time(quantile: float) -> str:
    return f"histogram_quantile({quantile}, sum by (le) (rate(model_prediction_duration_seconds_bucket{_RATE})))"


OVERVIEW = Dashboard(
    "wnis-overview",
    "Water Network Overview",
    (
        _number("Component health", Unit.STATE, 'max by (component) (system_components_health{job="api-service"})',
                "{{component}}", words="Which parts answer the API.", width=12),
        _number("Active users", Unit.NONE, "max(active_users)", "in 15 minutes"),
        _number("Sessions", Unit.NONE, "max(active_sessions)", "in force"),
        _number("Budget of errors left", Unit.SHARE,
                "clamp_min(1 - slo:api_errors:ratio_rate3d / 0.005, 0)", "at the pace of three days"),
        _lines("Requests by status", Unit.PER_SECOND,
               (f"sum by (status_code) (rate(http_requests_total{{{_USERS}}}{_RATE}))", "{{status_code}}"),
               stacked=True),
        _lines("Time of reads", Unit.SECONDS,
               ('job:http_read_duration_seconds:p50_5m{job="api-service"}', "p50"),
               ('job:http_read_duration_seconds:p95_5m{job="api-service"}', "p95"),
               ('job:http_read_duration_seconds:p99_5m{job="api-service"}', "p99")),
        _lines("Processor", Unit.SHARE, ("instance:cpu_used:ratio_rate5m", "{{instance}}"), width=8),
        _lines("Memory", Unit.SHARE, ("instance:memory_used:ratio", "{{instance}}"), width=8),
        _lines("Disk free", Unit.SHARE, ("mountpoint:disk_free:ratio", "{{mountpoint}}"), width=8),
        _lines("Neo4j heap", Unit.BYTES,
               ("max(neo4j_jvm_heap_used_bytes)", "used"),
               ("max(neo4j_jvm_heap_max_bytes)", "allowed"), width=8),
        _lines("Time of predictions", Unit.SECONDS,
               (_prediction_time(0.5), "p50"),
               (_prediction_time(0.95), "p95"),
               width=8),
        _lines("Refused sign-ins", Unit.NONE, (f"sum(increase(login_failures_total{_RATE}))", "refused"), width=8),
        _table("Alerts of the system", "sum by (alertname, severity, alertstate) (ALERTS)", width=24),
    ),
)  # fmt: skip

NEO4J = Dashboard(
    "wnis-neo4j",
    "Neo4j",
    (
        _lines("Queries by name", Unit.OPERATIONS, ("topk(12, query_type:neo4j_query:rate5m)", "{{query_type}}")),
        _lines("Time of queries by name (p95)", Unit.SECONDS,
               ("topk(12, query_type:neo4j_query_duration_seconds:p95_5m)", "{{query_type}}")),
        _lines("Heap", Unit.BYTES,
               ("max(neo4j_jvm_heap_used_bytes)", "used"),
               ("max(neo4j_jvm_heap_committed_bytes)", "committed"),
               ("max(neo4j_jvm_heap_max_bytes)", "allowed"),
               ("max(neo4j_jvm_nonheap_used_bytes)", "outside the heap")),
        _lines("Garbage collection", Unit.SHARE,
               (f"max by (gc) (rate(neo4j_jvm_gc_seconds_total{_RATE}))", "{{gc}}"),
               words="Share of the time spent collecting."),
        _lines("Garbage collections", Unit.OPERATIONS,
               (f"max by (gc) (rate(neo4j_jvm_gc_collections_total{_RATE}))", "{{gc}}"), width=8),
        _lines("Page cache hits", Unit.SHARE,
               ("max(neo4j_probe_page_cache_hits_total)"
                " / (max(neo4j_probe_page_cache_hits_total) + max(neo4j_probe_page_cache_misses_total))", "hits"),
               words="Of our own regular reading of every component, since ml started: Community keeps no counters "
               "for all queries.", width=8),
        _lines("Store and page cache", Unit.BYTES,
               ("max by (part) (neo4j_store_size_bytes)", "{{part}}"),
               ("max(neo4j_page_cache_size_bytes)", "page cache"),
               words="The store is measured where ml can see the data folder.", width=8),
        _lines("Nodes by label", Unit.NONE, ("topk(12, max by (label) (neo4j_nodes))", "{{label}}")),
        _lines("Relationships by type", Unit.NONE, ("topk(12, max by (type) (neo4j_relationships))", "{{type}}")),
        _lines("Processor time", Unit.SHARE,
               (f"max(rate(neo4j_process_cpu_seconds_total{_RATE}))", "processors"), width=8),
        _lines("Threads", Unit.NONE, ("max(neo4j_jvm_threads)", "threads"), width=8),
        _lines("Open files", Unit.NONE, ("max(neo4j_process_open_files)", "files and connections"), width=8),
        _number("Figures", Unit.STATE, "min by (figures) (wnis_figures_up)", "{{figures}}", width=24,
                words="Whether each part of the exporter could be looked up."),
    ),
)  # fmt: skip

MODELS = Dashboard(
    "wnis-ml",
    "ML and predictions",
    (
        _number("Age of the newest prediction", Unit.SECONDS,
                _age(f"wnis_model_newest_prediction_timestamp_seconds{{{_OURS}}}", "utility"), "{{utility}}", width=6),
        _number("Age of the model", Unit.SECONDS,
                _age(f"wnis_model_created_timestamp_seconds{{{_OURS}}}", "utility, model_name"),
                "{{model_name}} {{utility}}", width=6),
        _number("Since the last event it learned from", Unit.SECONDS,
                _age(f"wnis_model_train_to_timestamp_seconds{{{_OURS}}}", "utility, model_name"),
                "{{model_name}} {{utility}}", width=6),
        _number("Components with an outdated prediction", Unit.NONE,
                f"max by (utility) (wnis_model_outdated_components{{{_OURS}}})", "{{utility}}", width=6,
                words="The latest one is missing, or an older version made it."),
        Panel("Track record: ranking", (
            Series(f"max by (utility, ranking) (wnis_model_judged_auc{{{_OURS}}})", "{{ranking}} {{utility}}"),),
            Unit.SHARE, Look.BARS, "Area under the ROC curve on a later period, beside simple baselines.", 8),
        Panel("Track record: probability", (
            Series(f"max by (utility, forecast) (wnis_model_judged_brier{{{_OURS}}})", "{{forecast}} {{utility}}"),),
            Unit.NONE, Look.BARS, "Brier score on a later period (lower is better), beside one constant.", 8),
        Panel("Track record: how many break", (
            Series(f"max by (utility, which) (wnis_model_judged_assets{{{_OURS}}})", "{{which}} {{utility}}"),),
            Unit.NONE, Look.BARS, "Components that broke in the later period, and how many were expected.", 8),
        _lines("Drift: failures within 30 days", Unit.NONE,
               (f"max by (utility) (wnis_model_expected_failures_30d{{{_OURS}}})", "expected in the next {{utility}}"),
               (f"max by (utility) (wnis_model_observed_failures_30d{{{_OURS}}})", "observed in the last {{utility}}"),
               words="When the two stay apart for months, the network has changed and the model has not."),
        _number("Underperforming", Unit.NONE,
                f"max by (utility) (wnis_model_underperforming{{{_OURS}}})", "{{utility}}",
                words="1: not better than its baselines, or not judged.", width=6),
        _number("Predictions of the current version", Unit.NONE,
                f"max by (utility) (wnis_model_version_predictions{{{_OURS}}})", "{{utility}}", width=6),
        _lines("Predictions made", Unit.OPERATIONS,
               (f"sum by (model_name) (rate(model_prediction_total{_RATE}))", "{{model_name}}"), width=8),
        _lines("Predictions that failed", Unit.NONE,
               (f"sum by (model_name) (increase(model_prediction_errors_total{_RATE}))", "{{model_name}}"), width=8),
        _lines("Time of a prediction", Unit.SECONDS,
               (_prediction_time(0.95), "p95"),
               width=8),
        _lines("Index behind the graph", Unit.SECONDS, ("max by (store) (wnis_index_lag_seconds)", "{{store}}")),
        _lines("Changes the index has to follow", Unit.NONE, ("max by (store) (wnis_index_pending)", "{{store}}")),
    ),
    (_UTILITY,),
)  # fmt: skip

JOBS = Dashboard(
    "wnis-jobs",
    "Jobs",
    (
        _lines("Waiting", Unit.NONE,
               ('max by (service, kind) (wnis_jobs{state="queued"})', "{{service}} {{kind}}"), stacked=True),
        _lines("Running", Unit.NONE,
               ('max by (service, kind) (wnis_jobs{state="running"})', "{{service}} {{kind}}"), stacked=True),
        _lines("Age of the oldest", Unit.SECONDS,
               ("max by (service, state) (wnis_job_oldest_age_seconds)", "{{service}} {{state}}"), width=8),
        _lines("Ended", Unit.OPERATIONS,
               (f"sum by (service, state) (rate(wnis_jobs_finished_total{_RATE}))", "{{service}} {{state}}"), width=8),
        _lines("Time of jobs (p95)", Unit.SECONDS,
               ("histogram_quantile(0.95, sum by (service, kind, le) (rate(wnis_job_duration_seconds_bucket[1h])))",
                "{{service}} {{kind}}"), width=8),
        _table("On record", "max by (service, kind, state) (wnis_jobs)"),
        _number("Last backup", Unit.SECONDS,
                "time() - max(wnis_backup_last_success_timestamp_seconds)", "ago"),
        _number("Its size", Unit.BYTES, "max(wnis_backup_last_size_bytes)", "bytes"),
        _number("Writing had to wait", Unit.SECONDS, "max(wnis_backup_last_pause_seconds)", "in the last backup"),
        _number("Last restore drill", Unit.SECONDS,
                "time() - max(wnis_restore_drill_last_success_timestamp_seconds)", "ago"),
        _number("It took", Unit.SECONDS, "max(wnis_restore_drill_last_duration_seconds)", "seconds"),
        _number("Last backup failed", Unit.NONE, "max(wnis_backup_last_failed)", "1 is yes"),
        _number("Last drill failed", Unit.NONE, "max(wnis_restore_drill_failed)", "1 is yes"),
        _number("Certificates end in", Unit.SECONDS,
                "min by (target) (wnis_certificate_expiry_timestamp_seconds) - time()", "{{target}}"),
        _number("Certificates served", Unit.STATE, "min by (target) (wnis_certificate_probe_success)", "{{target}}"),
    ),
)  # fmt: skip

NETWORK = Dashboard(
    "wnis-network",
    "Water network",
    (
        Panel("Components by health", (
            Series(f"sum by (health) (max without (instance) (wnis_components{{{_OURS}}}))", "{{health}}"),),
            look=Look.BARS, words="A component in two zones counts in both.", width=8),
        _lines("Health by zone: critical", Unit.NONE,
               (f'max by (utility, network, zone) (wnis_components{{{_OURS},health="critical"}})',
                "{{network}} {{zone}}"), width=8, stacked=True),
        _lines("Health by zone: warning", Unit.NONE,
               (f'max by (utility, network, zone) (wnis_components{{{_OURS},health="warning"}})',
                "{{network}} {{zone}}"), width=8, stacked=True),
        _table("Health by zone", f"max by (utility, network, zone, health) (wnis_components{{{_OURS}}})"),
        _lines("Open incidents", Unit.NONE,
               (f"sum by (utility, kind) (wnis_open_incidents{{{_OURS}}})", "{{kind}} {{utility}}"), stacked=True),
        _lines("Open incidents by severity", Unit.NONE,
               (f"sum by (utility, severity) (wnis_open_incidents{{{_OURS}}})", "{{severity}} {{utility}}"),
               stacked=True),
        _lines("Incidents, feedback and components on record", Unit.NONE,
               ('max by (label) (neo4j_nodes{label=~"Incident|Feedback|Pipe|Valve|Pump|Tank|Junction"})',
                "{{label}}")),
        _lines("Failures expected and observed in 30 days", Unit.NONE,
               (f"max by (utility) (wnis_model_expected_failures_30d{{{_OURS}}})", "expected {{utility}}"),
               (f"max by (utility) (wnis_model_observed_failures_30d{{{_OURS}}})", "observed {{utility}}")),
        _table("Alerts", 'sum by (alertname, severity, alertstate) (ALERTS)'),
    ),
    (_UTILITY,),
)  # fmt: skip

DASHBOARDS = (OVERVIEW, NEO4J, MODELS, JOBS, NETWORK)


def files() -> dict[str, str]:
    """Content of every dashboard's file, by path."""
    return {f"{FOLDER}/{dashboard.uid.removeprefix('wnis-')}.json": dashboard.as_json() for dashboard in DASHBOARDS}
