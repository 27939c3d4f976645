"""A source file with the changes of the graph written into it: only the tokens of what changed are others.

Whoever changes nothing gets the file back byte for byte. Numbers are written in the file's own units. Lines about
what was removed go with it, whatever section they are in; controls, rules and options that name it are listed, and
go only if the caller says so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from wnis_core.errors import Conflict, FieldProblem
from wnis_graph.network_model import JunctionModel, PipeModel, PumpModel, ReservoirModel, TankModel

from wnis_simulator.differences import Change, Link, Node, Renamed
from wnis_simulator.inp_edit_links import set_pipe, set_pump, set_valve
from wnis_simulator.inp_edit_nodes import set_junction, set_reservoir, set_tank
from wnis_simulator.inp_lines import Lines
from wnis_simulator.inp_read import FileUnits, statuses_of
from wnis_simulator.inp_references import Place, Reference, references_of, rule_of
from wnis_simulator.inp_rows import checked_name, described, place_row, section_of, tag_row, vertex_rows, whole_row
from wnis_simulator.inp_scan import Scan
from wnis_simulator.inp_text import Row


@dataclass(frozen=True)
class Orphan:
    """A control, rule or option that names what was removed; `line` is its first one in the source file."""

    section: str
    line: int
    text: str
    removed: str


@dataclass(frozen=True)
class Edited:
    """The file's new bytes; `orphans` were dropped from it, `dropped` counts the other lines that went, by section."""

    content: bytes
    orphans: tuple[Orphan, ...] = ()
    dropped: dict[str, int] = field(default_factory=dict)


def edit_inp(scan: Scan, changes: Iterable[Change], renamed: Renamed | None = None) -> Edited:
    """The text that `scan` walked, with `changes` made to it.

    Raises
    ------
    InvalidModel
        a change that the file's format cannot say
    """
    return _Editor(scan, renamed or Renamed()).edited(list(changes))


class _Editor:
    def __init__(self, scan: Scan, renamed: Renamed) -> None:
        self._scan = scan
        self._renamed = renamed
        self._lines = Lines(scan)
        self._units = FileUnits.of(scan)
        self._statuses = statuses_of(scan)
        self._demands: defaultdict[str, list[Row]] = defaultdict(list)
        for row in scan.of("DEMANDS"):
            self._demands[row.tokens[0]].append(row)
        self._naming: defaultdict[tuple[bool, str], list[Reference]] = defaultdict(list)
        for reference in references_of(scan):
            if reference.column < len(reference.row.tokens):
                self._naming[reference.node, reference.row.tokens[reference.column]].append(reference)
        self._orphans: dict[int, Orphan] = {}

    def edited(self, changes: list[Change]) -> Edited:
        for change in changes:
            if change.was is None or change.now is None:
                continue
            if change.was.name != change.now.name:
                self._rename(change)
            if type(change.was) is not type(change.now):
                self._retype(change.was, change.now)
            else:
                self._set(change.was, change.now, change.fields)
        for change in changes:
            if change.now is None and change.was is not None:
                self._remove(change.was, change.of_node)
        for change in changes:
            if change.was is None and change.now is not None:
                self._add(change.now)
        content = self._scan.text.encoded(self._lines.text())
        orphans = tuple(self._orphans[line] for line in sorted(self._orphans))
        return Edited(content, orphans, self._lines.dropped_by_section())

    def _rename(self, change: Change) -> None:
        assert change.was is not None
        assert change.now is not None
        name = checked_name(change.now.name)
        for reference in self._naming[change.of_node, change.was.name]:
            self._lines.put(reference.row, reference.column, name)

    def _set(self, was: Node | Link, now: Node | Link, fields: tuple[str, ...]) -> None:
        scan, lines, units = self._scan, self._lines, self._units
        row = (scan.nodes if isinstance(was, Node) else scan.links)[was.name]
        changed = frozenset(fields)
        if isinstance(now, JunctionModel):
            set_junction(lines, units, row, now, changed, self._demands[was.name])
        elif isinstance(now, ReservoirModel):
            set_reservoir(lines, units, row, now, changed)
        elif isinstance(now, TankModel):
            set_tank(lines, units, row, now, changed)
        else:
            for column, end in ((1, "start"), (2, "end")):
                if end in changed:
                    lines.put(row, column, checked_name(getattr(now, end)))
            stated = self._statuses[was.name]
            if isinstance(now, PipeModel):
                set_pipe(lines, units, row, now, changed, stated)
            elif isinstance(now, PumpModel):
                set_pump(lines, units, row, now, changed, stated)
            else:
                set_valve(lines, units, row, now, changed, stated)
        self._draw(was, now, row, changed)

    def _draw(self, was: Node | Link, now: Node | Link, row: Row, changed: frozenset[str]) -> None:
        of_node = isinstance(now, Node)
        if "description" in changed:
            self._lines.comment(row, described(now))
        if "tag" in changed:
            self._replace(of_node, was.name, "TAGS", [tag_row(now)] if now.tag else [])
        if isinstance(now, Node) and {"x", "y"} & changed:
            self._replace(of_node, was.name, "COORDINATES", place_row(now))
        if not isinstance(now, Node) and "vertices" in changed:
            self._replace(of_node, was.name, "VERTICES", vertex_rows(now))

    def _replace(self, of_node: bool, name: str, section: str, rows: list[str]) -> None:
        for reference in self._naming[of_node, name]:
            if reference.row.section == section:
                self._lines.drop(reference.row)
        for row in rows:
            self._lines.insert(section, row)

    def _retype(self, was: Node | Link, now: Node | Link) -> None:
        scan = self._scan
        self._lines.drop((scan.nodes if isinstance(was, Node) else scan.links)[was.name])
        for row in self._demands[was.name] if isinstance(was, JunctionModel) else ():
            self._lines.drop(row)
        for row in self._statuses[was.name].rows if not isinstance(was, Node) else ():
            self._lines.drop(row)
        self._add(now, drawn=False)
        for field_name in ("tag", "x", "vertices"):
            if getattr(was, field_name, None) != getattr(now, field_name, None):
                self._draw(was, now, Row("", 0, (), (), ""), frozenset({field_name}))

    def _remove(self, item: Node | Link, of_node: bool) -> None:
        for reference in self._naming[of_node, item.name]:
            row = reference.row
            if reference.place is Place.OWN:
                self._lines.drop(row)
            elif reference.place is Place.LISTED:
                self._lines.take_out(row, reference.column)
            elif reference.place is Place.COMMANDED:
                self._orphan(row, item.name)

    def _orphan(self, row: Row, removed: str) -> None:
        rows = rule_of(self._scan, row) if row.section == "RULES" else [row]
        text = " ".join(" ".join(one.tokens) for one in rows)
        self._orphans.setdefault(rows[0].line, Orphan(row.section, rows[0].line, text, removed))
        for one in rows:
            self._lines.drop(one)

    def _add(self, item: Node | Link, *, drawn: bool = True) -> None:
        row, status = whole_row(item, self._units, self._scan.formula)
        self._lines.insert(section_of(item), row)
        if status:
            self._lines.insert("STATUS", status)
        if not drawn:
            return
        if item.tag:
            self._lines.insert("TAGS", tag_row(item))
        for line in place_row(item) if isinstance(item, Node) else ():
            self._lines.insert("COORDINATES", line)
        for line in vertex_rows(item) if not isinstance(item, Node) else ():
            self._lines.insert("VERTICES", line)


def refuse_orphans(orphans: tuple[Orphan, ...]) -> None:
    """Refuse an export that would leave out controls, rules or options without having been told to.

    Raises
    ------
    Conflict
        naming each of them
    """
    if orphans:
        first = orphans[0]
        raise Conflict(
            f"{len(orphans)} controls, rules or options of the source file name what was removed; the first is in "
            f"[{first.section}] line {first.line}: {first.text[:120]}",
            mend="Export with orphans=drop (--drop-orphans) to leave them out, or bring the component back.",
            fields=[
                FieldProblem(f"{o.section} line {o.line}", f"names {o.removed}, which was removed: {o.text}")
                for o in orphans
            ],
        )
