"""Components: input fields come from the graph's schema, so that what it declares is what the API takes."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, create_model
from wnis_graph.queries.components import SORTS
from wnis_graph.repositories.components import FIXED
from wnis_graph.schema.declaration import Kind, Property
from wnis_graph.schema.model import COMPONENT_LABELS, HEALTHS, SCHEMA, STATUSES

from wnis_api.http.schemas.common import NO_NUL, Id, Input, Moment, Output, Page, PageQuery, Text

ComponentType = StrEnum("ComponentType", {label.upper(): label for label in COMPONENT_LABELS})  # type: ignore[misc]  # made of data
Status = StrEnum("Status", {value.upper(): value for value in STATUSES})  # type: ignore[misc]
Health = StrEnum("Health", {value.upper(): value for value in HEALTHS})  # type: ignore[misc]
Sort = StrEnum("Sort", {name.upper().replace("-", "REVERSE_"): name for key in SORTS for name in (key, f"-{key}")})  # type: ignore[misc]
Word = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=NO_NUL)]
Number = Annotated[float, Field(allow_inf_nan=False)]

_TYPES: dict[Kind, Any] = {
    Kind.STRING: Annotated[str, StringConstraints(max_length=2000, pattern=NO_NUL)],
    Kind.INTEGER: Annotated[int, Field(ge=-(2**63), lt=2**63)],
    Kind.FLOAT: Number,
    Kind.BOOLEAN: bool,
    Kind.DATE: date,
}


def _declared() -> dict[str, Property]:
    found: dict[str, Property] = {}
    for label in COMPONENT_LABELS:
        found |= {
            name: p
            for name, p in SCHEMA.properties_of(label).items()
            if name not in FIXED and name != "name" and p.kind in _TYPES
        }
    return dict(sorted(found.items()))


PROPERTIES = _declared()
"""Every property that a person may set, over all types of component."""

# what people write by hand: (our name, what their unit is in ours)
ALIASES: dict[str, tuple[str, float | None]] = {
    "valveType": ("valve_kind", None),
    "valve_type": ("valve_kind", None),
    "diameter": ("diameter_m", 0.001),
    "length": ("length_m", 1.0),
    "elevation": ("elevation_m", 1.0),
    "head": ("head_m", 1.0),
    "capacity": ("capacity_m3", 1.0),
    "installDate": ("install_date", None),
    "sourceId": ("source_id", None),
}


def _fields() -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, declared in PROPERTIES.items():
        unit = f" ({declared.unit})" if declared.unit not in (None, "1") else ""
        fields[name] = (_TYPES[declared.kind] | None, Field(default=None, description=declared.description + unit))
    for alias, (name, factor) in ALIASES.items():
        unit = " in millimetres" if factor == 0.001 else ""
        kind = Number if factor is not None else _TYPES[PROPERTIES[name].kind]
        fields[alias] = (kind | None, Field(default=None, description=f"short for `{name}`{unit}"))
    return fields


class Seat(Input):
    """Where an isolation valve sits on a pipe (or at a pump or control valve)."""

    pipe: Text = Field(description="id, register key or name of the pipe")
    near: Text | None = Field(default=None, description="id or name of the end node that the offset counts from; "
                                                        "the pipe's start unless given")  # fmt: skip
    offset_m: Annotated[float, Field(ge=0, description="distance from there; 0 is at the node")] = 0.0


class _Placed(Input):
    name: Text | None = None


class _Stated(_Placed):
    id: Id
    type: Annotated[str, Field(description=f"one of {', '.join(COMPONENT_LABELS)}", max_length=40)]
    network: Id | None = Field(default=None, description="id of its network; the utility's default one unless given")
    zone: Id | None = Field(default=None, description="id of its zone")
    start: Id | None = Field(default=None, description="id of the component before a link")
    end: Id | None = Field(default=None, description="id of the component after a link")
    located_on: Seat | None = Field(default=None, description="of an isolation valve: the pipe it sits on, and where")


NewComponent = create_model("NewComponent", __base__=_Stated, __doc__="A component to add.", **_fields())
ComponentChange = create_model(
    "ComponentChange", __base__=_Placed, __doc__="Properties to set; null removes one.", **_fields()
)


class ComponentQuery(PageQuery):
    """Filters of the list; all must hold."""

    type: ComponentType | None = None
    zone: Word | None = Field(default=None, description="id of a zone")
    status: Status | None = None
    health: Health | None = None
    network: Word | None = None
    material: Word | None = None
    q: Word | None = Field(default=None, description="words in name, description, material or source id")
    bbox: Annotated[str, StringConstraints(max_length=200)] | None = Field(
        default=None, description="west,south,east,north in the degrees of the map"
    )
    sort: Sort = Field(default="id", description="a key, with - before it to reverse", validate_default=True)
    format: Literal["json", "csv", "geojson"] = Field(default="json", description="csv and geojson hold everything")


class AsOfQuery(Input):
    """The present, or what was recorded at a moment."""

    as_of: Moment | None = None


class NeighbourQuery(Input):
    """How far to look."""

    hops: Annotated[int, Field(ge=1, le=10)] = 1


class TraceQuery(Input):
    """Where to follow the water."""

    direction: Literal["upstream", "downstream"]
    time_s: Annotated[int, Field(ge=0, lt=2**40)] | None = Field(
        default=None, description="time of the run in s; without it every direction of its whole period counts"
    )


class ZoneRef(Output):
    """The zone that a component lies in."""

    id: str
    name: str
    kind: str


class ConnectedAnswer(Output):
    """A component joined to another; `outgoing` when the relationship points to it."""

    id: str
    type: str
    name: str
    relationship: str
    outgoing: bool


class LocationAnswer(Output):
    """A point: longitude and latitude (srid 4326), or source coordinates (srid 7203)."""

    x: float
    y: float
    srid: int


class ComponentListed(Output):
    """A component in a list."""

    id: str
    type: str
    name: str
    status: str
    health: str
    network: str
    zone: ZoneRef | None
    location: LocationAnswer | None
    retired_at: Moment | None
    properties: dict[str, Any]


class Components(Page):
    """Components in a total order."""

    components: list[ComponentListed]


class Counts(Output):
    """How much hangs on a component."""

    incidents: int
    open_incidents: int
    predictions: int
    feedback: int
    service_connections: int
    customers: int


class LatestResult(Output):
    """Summary of the component in the last finished run of its network."""

    run_id: str
    finished_at: Moment | None
    summary: dict[str, float | None]


class ComponentAnswer(ComponentListed):
    """A component with its surroundings."""

    revision: int
    network_name: str
    connected_components: list[ConnectedAnswer]
    counts: Counts
    as_of: Moment | None = None
    latest_simulation: LatestResult | None = None


class NeighbourAnswer(Output):
    """A component within reach."""

    id: str
    type: str
    name: str
    status: str
    health: str
    hops: int


class Neighbours(Page):
    """Components within reach, nearest first."""

    neighbours: list[NeighbourAnswer]


class RunUsedAnswer(Output):
    """The run whose flows decided; `stale` when the network has been changed since."""

    id: str
    finished_at: Moment | None
    network_revision: int | None
    time_s: int | None = Field(description="the reported time that was looked at; null is the whole period")
    stale: bool


class Trace(Page):
    """Components that the water comes from or goes to, nearest first."""

    direction: str
    method: str = Field(description="`run`: by the flows of `run`; `topology`: by distance from the sources")
    run_id: str | None
    run: RunUsedAnswer | None
    revision: int = Field(description="revision of the network")
    trace: list[NeighbourAnswer]


class RouteAnswer(Output):
    """The shortest open way from a source: its components, the source first."""

    source: str
    length_m: float
    components: list[str]


class SourceAnswer(Output):
    """A reservoir or tank that feeds the component, or a junction at which water from outside comes in."""

    id: str
    type: str
    name: str
    status: str
    health: str
    hops: int | None = Field(description="null when only the source trace leads water from it")
    share: float | None = Field(
        description="mean share of the component's water over the last day of the source trace, 0 to 1: of a reservoir "
        "what came from it, of a junction what came in there from outside, of a tank what left it during the run (it "
        "came from another source before, or stood in the tank from the beginning); null when it was not traced"
    )
    share_min: float | None = Field(description="least share")
    share_max: float | None = Field(description="greatest share")


class SharesAnswer(Output):
    """The source trace that the shares come from."""

    run: RunUsedAnswer
    duration_s: float = Field(description="how long the water was followed")
    initial: float | None = Field(
        description="share of water that was in pipes and tanks when the run began; with those of the reservoirs and "
        "junctions it makes 1; null when the component was not in the run"
    )


class Feed(Output):
    """Where a component's water comes from; `method` and `run` as in a trace."""

    method: str
    run: RunUsedAnswer | None
    sources: list[SourceAnswer]
    shares: SharesAnswer | None = Field(description="null when the network's sources have not been traced")
    route: RouteAnswer | None


class RedundancyQuery(Input):
    """How much to show."""

    top: Annotated[int, Field(ge=1, le=100_000)] = 100


class IrredundantAnswer(Output):
    """A bridge (link) or articulation point (node)."""

    id: str
    type: str
    behind: int = Field(description="components that lose every source with it")
    customers: int = Field(description="served by it or by these")


class Redundancy(Page):
    """Components without redundancy, those with most customers behind first; `total` are all of them."""

    revision: int
    total: int
    components: list[IrredundantAnswer]


class ChangeAnswer(Output):
    """A recorded change: only what differs."""

    id: str
    action: str
    old: dict[str, Any]
    new: dict[str, Any]
    recorded_by: str
    recorded_at: Moment


class History(Page):
    """Recorded changes, latest first."""

    history: list[ChangeAnswer]
