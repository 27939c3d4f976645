"""The reference page of mappings, generated from their declaration: ``python -m wnis_core.mapping_page``."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterable, Sequence
from typing import Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from wnis_core.mapping_targets import FILE_UNITS, TARGETS, TargetProperty
from wnis_core.mapping_toml import TABLES

_INTRODUCTION = """\
# Mappings

Generated from `core/wnis_core/mapping_targets.py` and `mapping_toml.py` by `python -m wnis_core.mapping_page`.

A mapping is a TOML file that says how the columns of a table (CSV, GeoJSON, Shapefile, GeoPackage) become our
properties. `config/mappings/` holds mappings of known layouts and four to start from: `generic-assets.toml`,
`generic-service-connections.toml`, `generic-isolation-valves.toml` and `generic-incidents.toml`;
`wnis assets inspect FILE` proposes one for a file of yours. How places find the network is told in
[registers](../guide/registers.md).

* A file that is faulty is refused as a whole, with every key at fault and its mend.
* A row with a cell that cannot be read is *rejected*, with its number, line, column and reason; a row that a filter
  leaves out is counted under the filter's reason. No row disappears without a count.
* Numbers come out in SI, dates and times in UTC.
* Blank cells mean "not known". Outer blanks never count.
"""


def page() -> str:
    """The page as Markdown."""
    parts = [_INTRODUCTION]
    for heading, model in TABLES:
        parts.append(f"## {heading}\n\n{_sentence(model)}\n\n{_keys(model)}")
    units = "; ".join(
        f"{', '.join(f'`{u}`' for u in units)} for {si}" for si, units in FILE_UNITS.items() if len(units) > 1
    )
    parts.append(f"## Units of a file\n\n{units}. `us_survey_ft` is 1200/3937 m.\n")
    for target in TARGETS.values():
        rows = [_row(p) for p in target.properties]
        table = _table(("Property", "Type", "Unit", "What"), rows)
        keys = ", ".join(f"`{key}`" for key in target.keys)
        unique = ", ".join(f"`{key}`" for key in target.unique)
        parts.append(
            f"## Target `{target.name}`\n\n{target.description.capitalize()}. Every row needs one of {keys}; "
            f"no two rows may share {unique}.\n\n{table}"
        )
    return "\n".join(parts)


def _sentence(model: type[BaseModel]) -> str:
    return inspect.cleandoc(model.__doc__ or "")


def _keys(model: type[BaseModel]) -> str:
    rows = [
        (
            f"`{name}`",
            "required" if field.is_required() else _default(field),
            _choices(field) + (field.description or ""),
        )
        for name, field in model.model_fields.items()
    ]
    return _table(("Key", "Default", "What"), rows)


def _default(field: FieldInfo) -> str:
    value = field.get_default()
    if value in (None, "") or value == [] or value == {} or field.default_factory is not None:
        return ""
    shown = value if isinstance(value, list) else [value]
    return ", ".join(f"`{str(v).lower() if isinstance(v, bool) else v}`" for v in shown)


def _choices(field: FieldInfo) -> str:
    if get_origin(field.annotation) is not Literal:
        return ""
    names = {"\t": "tab"}
    return ", ".join(f"`{names.get(choice, choice)}`" for choice in get_args(field.annotation)) + ": "


def _row(p: TargetProperty) -> tuple[str, ...]:
    what = p.description + (f"; one of {', '.join(f'`{v}`' for v in p.values)}" if p.values else "")
    return (f"`{p.name}`", p.kind + (", required" if p.required else ""), p.unit or "", what)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
