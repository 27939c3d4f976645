"""From what people write about a component to our properties: aliases, units, spelling."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from wnis_core.errors import FieldProblem, InvalidValue
from wnis_graph.schema.model import COMPONENT_LABELS

from wnis_api.http.schemas.components import ALIASES, PROPERTIES

_BY_LOWER = {label.lower(): label for label in COMPONENT_LABELS}
_CLOSED = frozenset(name for name, declared in PROPERTIES.items() if declared.values)


def stated_properties(body: BaseModel) -> dict[str, Any]:
    """The properties that `body` states, under their canonical names and in SI.

    Raises
    ------
    InvalidValue
        a property is stated under two names
    """
    given = {name: getattr(body, name) for name in body.model_fields_set}
    properties = {name: value for name, value in given.items() if name in PROPERTIES}
    for alias, (name, factor) in ALIASES.items():
        if alias not in given:
            continue
        if name in properties:
            raise InvalidValue(
                f"{alias} and {name} say the same twice.", fields=[FieldProblem(alias, f"is short for {name}")]
            )
        value = given[alias]
        # 200 mm times 0.001 is not 0.2 m in binary; 12 digits are more than any tape measures
        properties[name] = value if value is None or factor is None else round(value * factor, 12)
    for name in _CLOSED & properties.keys():
        if isinstance(properties[name], str):
            properties[name] = properties[name].strip().lower().replace(" ", "_")
    return properties


def component_type(text: str) -> str:
    """The label that `text` means in any case; raises `InvalidValue`."""
    label = _BY_LOWER.get(text.strip().lower())
    if label is None:
        fault = f"must be one of {', '.join(COMPONENT_LABELS)}"
        raise InvalidValue(f"The type {fault}.", fields=[FieldProblem("type", fault)])
    return label


def bounding_box(text: str) -> tuple[float, float, float, float]:
    """Four finite numbers; raises `InvalidValue`."""
    parts = text.split(",")
    try:
        west, south, east, north = (float(part) for part in parts)
        if not all(abs(value) <= 1e9 for value in (west, south, east, north)):
            raise ValueError("not finite")
    except ValueError as error:
        fault = "must be four numbers: west,south,east,north"
        raise InvalidValue(f"bbox {fault}.", fields=[FieldProblem("bbox", fault)]) from error
    return west, south, east, north
