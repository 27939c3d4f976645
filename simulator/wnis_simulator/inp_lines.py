"""The lines of a file while it is edited: tokens replaced in place, lines taken out, lines added to a section."""

from __future__ import annotations

from collections import Counter, defaultdict

from wnis_simulator.inp_scan import Scan
from wnis_simulator.inp_text import Row

_DEFAULTS = {"JUNCTIONS": "0", "PIPES": "0", "VALVES": "0", "TANKS": "0"}
"""What stands for a number that the line leaves out, when one behind it is to be stated."""
_NODES = ("JUNCTIONS", "RESERVOIRS", "TANKS")
_LINKS = ("PIPES", "PUMPS", "VALVES")


class Lines:
    """Edits of the file that `scan` walked; nothing is done to it before `text`."""

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self._tokens: defaultdict[int, dict[int, str]] = defaultdict(dict)
        self._behind: defaultdict[int, list[str]] = defaultdict(list)
        self._comments: dict[int, str] = {}
        self._rows: dict[int, Row] = {}
        self._added: defaultdict[str, list[str]] = defaultdict(list)
        self._dropped: dict[int, str] = {}

    def put(self, row: Row, column: int, text: str) -> None:
        """Have a token be `text`; one behind the line's last is appended."""
        self._rows[row.line] = row
        if column < len(row.tokens):
            self._tokens[row.line][column] = text
            return
        behind = self._behind[row.line]
        while len(row.tokens) + len(behind) <= column:
            behind.append(_DEFAULTS.get(row.section, "*"))
        behind[column - len(row.tokens)] = text

    def append(self, row: Row, *tokens: str) -> None:
        """Put tokens behind the line's last one."""
        self._rows[row.line] = row
        self._behind[row.line] += tokens

    def take_out(self, row: Row, column: int) -> None:
        """Leave a token out, and the line with it when it was the last thing listed."""
        self.put(row, column, "")
        gone = sum(1 for text in self._tokens[row.line].values() if not text)
        if row.section == "REPORT" and gone == len(row.tokens) - 1:
            self.drop(row)

    def comment(self, row: Row, text: str) -> None:
        """Have the line's comment be `text`; none when it is empty."""
        self._rows[row.line] = row
        self._comments[row.line] = text

    def drop(self, row: Row) -> None:
        """Leave the line out."""
        self._dropped[row.line] = row.section

    def insert(self, section: str, line: str) -> None:
        """Put a line behind the last one of the section, which is made when the file has none."""
        self._added[section].append(line)

    def dropped_by_section(self) -> dict[str, int]:
        """How many lines were left out."""
        return dict(Counter(self._dropped.values()))

    def text(self) -> str:
        """The whole file."""
        source = self._scan.text
        end = "\r" if source.line_end == "\r\n" else ""
        added, new = self._places()
        lines: list[str] = []
        for number, line in enumerate(source.lines, start=1):
            # a section that the file does not have comes before the heading of another, and before [END]
            for section in new.get(number, ()):
                lines += [f"[{section}]{end}", *(one + end for one in self._added[section]), end]
            if number not in self._dropped:
                lines.append(self._edited(number, line))
            for section in added.get(number, ()):
                if number == len(source.lines) and end and not lines[-1].endswith(end):
                    lines[-1] += end
                lines += [one + end for one in self._added[section]]
        for section in new.get(len(source.lines) + 1, ()):
            lines += [f"[{section}]{end}", *(one + end for one in self._added[section])]
        return "\n".join(lines)

    def _edited(self, number: int, line: str) -> str:
        row = self._rows.get(number)
        if row is None:
            return line
        last = row.spans[-1][1]
        # of a quoted token the place ends before the closing quote
        statement_end = last + (line[last : last + 1] == '"')
        comment = line[statement_end:]
        if number in self._comments:
            ending = "\r" if line.endswith("\r") else ""
            said = self._comments[number]
            blank = comment.partition(";")[0].rstrip("\r") or " "
            comment = (f"{blank};{said}" if said else "") + ending
        behind = self._behind.get(number, ())
        statement = line[:statement_end] + "".join(f" {text}" for text in behind)
        for column in sorted(self._tokens.get(number, ()), reverse=True):
            start, stop = row.spans[column]
            text = self._tokens[number][column]
            if line[start:stop] != text:
                statement = statement[:start] + text + statement[stop:]
        return statement + comment

    def _places(self) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
        """Sections by the line behind which their additions go, and new sections by the line before which."""
        scan = self._scan
        added: defaultdict[int, list[str]] = defaultdict(list)
        new: defaultdict[int, list[str]] = defaultdict(list)
        order = [s for s in (*_NODES, *_LINKS) if s in self._added] + [
            s for s in self._added if s not in (*_NODES, *_LINKS)
        ]
        for section in order:
            if section in scan.first_line:
                last = max((row.line for row in scan.of(section)), default=scan.first_line[section])
                added[max(last, scan.first_line[section])].append(section)
            else:
                new[self._before(section)].append(section)
        return added, new

    def _before(self, section: str) -> int:
        """The heading before which a new section goes: the engine reads nodes before links, links before the rest."""
        scan = self._scan
        behind = _NODES if section in _NODES else (*_NODES, *_LINKS) if section in _LINKS else ()
        last = max((row.line for name in behind for row in scan.of(name)), default=0)
        headings = sorted(scan.headings)
        if behind:
            return next((line for line in headings if line > last), len(scan.text.lines) + 1)
        return scan.first_line.get("END", len(scan.text.lines) + 1)
