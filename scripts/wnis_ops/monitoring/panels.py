"""A dashboard in the few words that ours need, and its JSON as Grafana provisions it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

DATASOURCE = {"type": "prometheus", "uid": "wnis-prometheus"}
"""The same uid as in ``monitoring/grafana/provisioning/datasources``."""

COLUMNS = 24
SCHEMA_VERSION = 39


class Unit(StrEnum):
    """Grafana's names of units."""

    NONE = "short"
    SHARE = "percentunit"
    SECONDS = "s"
    BYTES = "bytes"
    PER_SECOND = "reqps"
    OPERATIONS = "ops"
    MOMENT = "dateTimeAsIso"
    STATE = "bool_on_off"


class Look(StrEnum):
    """How a panel shows its series."""

    LINES = "timeseries"
    NUMBER = "stat"
    BARS = "bargauge"
    TABLE = "table"


@dataclass(frozen=True)
class Series:
    """A PromQL expression and what its series are called (``{{label}}`` stands for a label's value)."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """One panel; `words` say what it shows to somebody who did not build it."""

    title: str
    series: tuple[Series, ...]
    unit: Unit = Unit.NONE
    look: Look = Look.LINES
    words: str = ""
    width: int = 12
    height: int = 8
    stacked: bool = False


@dataclass(frozen=True)
class Variable:
    """A choice above the dashboard: the values of a label."""

    name: str
    label: str
    values: str
    """``label_values(metric, label)``"""


@dataclass(frozen=True)
class Dashboard:
    """A page of panels, laid out in rows from left to right in the order given.

    Raises
    ------
    ValueError
        two panels share a title, or one is wider than the page
    """

    uid: str
    title: str
    panels: tuple[Panel, ...]
    variables: tuple[Variable, ...] = ()

    def __post_init__(self) -> None:
        titles = [panel.title for panel in self.panels]
        if len(set(titles)) < len(titles):
            raise ValueError(f"Dashboard {self.title!r} has two panels of one title; rename one.")
        if any(not 0 < panel.width <= COLUMNS for panel in self.panels):
            raise ValueError(f"A panel of dashboard {self.title!r} is not 1 to {COLUMNS} columns wide.")

    def expressions(self) -> tuple[str, ...]:
        """Every query of the dashboard, those of its variables as plain selectors included."""
        asked = tuple(series.expr for panel in self.panels for series in panel.series)
        return asked + tuple(one.values.removeprefix("label_values(").split(",")[0] for one in self.variables)

    def as_json(self) -> str:
        """The file that Grafana reads."""
        return json.dumps(_document(self), indent=2, ensure_ascii=False) + "\n"


def _document(dashboard: Dashboard) -> dict[str, Any]:
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["wnis"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "timezone": "",
        "templating": {"list": [_variable(one) for one in dashboard.variables]},
        "annotations": {"list": []},
        "panels": _panels(dashboard.panels),
    }


def _panels(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    placed, x, y, row_height = [], 0, 0, 0
    for number, panel in enumerate(panels, start=1):
        if x + panel.width > COLUMNS:
            x, y, row_height = 0, y + row_height, 0
        placed.append(_panel(number, panel, x, y))
        x, row_height = x + panel.width, max(row_height, panel.height)
    return placed


def _panel(number: int, panel: Panel, x: int, y: int) -> dict[str, Any]:
    now = panel.look is not Look.LINES
    return {
        "id": number,
        "type": str(panel.look),
        "title": panel.title,
        "description": panel.words,
        "datasource": DATASOURCE,
        "gridPos": {"h": panel.height, "w": panel.width, "x": x, "y": y},
        "fieldConfig": {"defaults": _field(panel), "overrides": []},
        "options": _options(panel.look),
        "targets": [
            {
                "refId": chr(ord("A") + place),
                "datasource": DATASOURCE,
                "expr": series.expr,
                "legendFormat": series.legend or "__auto",
                "instant": now,
                "range": not now,
                "format": "table" if panel.look is Look.TABLE else "time_series",
            }
            for place, series in enumerate(panel.series)
        ],
    }


def _field(panel: Panel) -> dict[str, Any]:
    field: dict[str, Any] = {"unit": str(panel.unit)}
    if panel.unit is Unit.STATE:
        field |= {
            "unit": "none",
            "mappings": [
                {
                    "type": "value",
                    "options": {"0": {"text": "down", "color": "red"}, "1": {"text": "up", "color": "green"}},
                }
            ],
        }
    if panel.unit is Unit.SHARE:
        field |= {"min": 0, "max": 1}
    if panel.look is Look.LINES:
        stacking = {"mode": "normal" if panel.stacked else "none", "group": "A"}
        field["custom"] = {"lineWidth": 1, "fillOpacity": 25 if panel.stacked else 8, "stacking": stacking}
    return field


def _options(look: Look) -> dict[str, Any]:
    match look:
        case Look.LINES:
            return {
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }
        case Look.NUMBER:
            return {"reduceOptions": {"calcs": ["lastNotNull"], "values": False}, "textMode": "value_and_name"}
        case Look.BARS:
            return {"reduceOptions": {"calcs": ["lastNotNull"], "values": False}, "orientation": "horizontal"}
        case Look.TABLE:
            return {"showHeader": True}


def _variable(variable: Variable) -> dict[str, Any]:
    return {
        "name": variable.name,
        "label": variable.label,
        "type": "query",
        "datasource": DATASOURCE,
        "query": {"query": variable.values, "refId": variable.name},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }
