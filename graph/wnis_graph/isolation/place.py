"""Where an isolation valve sits on a link."""

from __future__ import annotations

from dataclasses import dataclass

from wnis_core.errors import FieldProblem, InvalidValue

from wnis_graph.placement import along
from wnis_graph.queries.isolation import LinkEnds
from wnis_graph.values import Location


@dataclass(frozen=True)
class Place:
    """A valve's place: `offset_m` from the end node `near` of the link, with its location where the link has a line."""

    link: str
    near: str
    offset_m: float
    location: Location | None

    @property
    def words(self) -> str:
        """As people read it."""
        return f"{self.link}, {self.offset_m:g} m from {self.near}"

    def row(self, valve: str) -> dict[str, str | float]:
        """As it is written."""
        return {"valve": valve, "link": self.link, "near": self.near, "offset_m": self.offset_m}


def place_on(link: LinkEnds, near: str | None, offset_m: float) -> Place:
    """The place `offset_m` from the end `near` (its id or name; the start unless given) of `link`.

    Raises
    ------
    InvalidValue
        `near` is no end of the link, or the place is not on it
    """
    ends = [(identifier, name, False) for identifier, name in link.starts]
    ends += [(identifier, name, True) for identifier, name in link.ends]
    if not ends:
        raise _wrong("pipe", f"{link.id!r} is joined to no node")
    found = ends[0] if near is None else next((e for e in ends if near in e[:2]), None)
    if found is None:
        raise _wrong("near", f"{near!r} is no end of {link.id!r}; these are: {', '.join(e[0] for e in ends)}")
    if not 0 <= offset_m <= link.length_m:
        raise _wrong("offset_m", f"must be 0 to {link.length_m:g}, the length of {link.id!r}")
    identifier, _, at_end = found
    from_start = link.length_m - offset_m if at_end else offset_m
    share = from_start / link.length_m if link.length_m > 0 else float(at_end)
    location = None
    if link.location is not None:
        x, y = along(link.shape, share) if link.shape else (link.location.x, link.location.y)
        location = Location(x, y, link.location.srid)
    return Place(link.id, identifier, offset_m, location)


def _wrong(field: str, message: str) -> InvalidValue:
    return InvalidValue(f"{field}: {message}.", fields=[FieldProblem(field, message)])
