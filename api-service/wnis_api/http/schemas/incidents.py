"""Incidents: stated, listed, imported, searched."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints
from wnis_graph.schema.model import INCIDENT_KINDS, SEVERITIES

from wnis_api.http.schemas.common import NO_NUL, Id, Input, LongText, Moment, Output, Page, PageQuery, Text
from wnis_api.http.schemas.components import LocationAnswer, Word

IncidentKind = StrEnum("IncidentKind", {kind.upper(): kind for kind in INCIDENT_KINDS})  # type: ignore[misc]  # made of data
Severity = StrEnum("Severity", {value.upper(): value for value in SEVERITIES})  # type: ignore[misc]


class IncidentStatus(StrEnum):
    """Whether it still needs work."""

    OPEN = "open"
    CLOSED = "closed"


class Place(Input):
    """Longitude and latitude (srid 4326), or source coordinates of a network without CRS (7203)."""

    x: Annotated[float, Field(ge=-1e9, le=1e9)]
    y: Annotated[float, Field(ge=-1e9, le=1e9)]
    srid: Literal[4326, 7203] = 4326


class NewIncident(Input):
    """What happened, when, and to which components."""

    kind: IncidentKind
    occurred_at: Moment
    components: Annotated[
        list[Text], Field(default_factory=list, max_length=200, description="ids, register keys or unambiguous names")
    ]
    component_id: Id | None = Field(default=None, description="short for one component")
    id: Id | None = None
    source_id: Text | None = Field(default=None, description="key of the source record; importing it again updates it")
    narrative: LongText | None = None
    available_at: Moment | None = Field(default=None, description="when it was known; `occurred_at` unless given")
    severity: Severity | None = None
    status: IncidentStatus | None = None
    cause: LongText | None = None
    repair: LongText | None = None
    location: Place | None = None
    synthetic: bool | None = Field(default=None, description="made by a generator, not observed")


class IncidentImport(Input):
    """Many incidents; each is judged on its own."""

    incidents: Annotated[
        list[dict[str, Any]], Field(min_length=1, max_length=20_000, description="each as for `POST /incidents`")
    ]
    network: Id | None = Field(default=None, description="look up keys and names in this network only")


class IncidentQuery(PageQuery):
    """Filters of the list."""

    kind: IncidentKind | None = None
    status: IncidentStatus | None = None
    since: Moment | None = None
    until: Moment | None = None
    component_id: Word | None = None
    zone: Word | None = None
    q: Word | None = Field(default=None, description="words that must all occur")


class IncidentSearch(Input):
    """Words, and where to look."""

    query: Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=NO_NUL)]
    component_id: Id | None = None
    hops: Annotated[int, Field(ge=0, le=10)] | None = Field(default=None, description="distance from the component")
    zone: Id | None = None
    kind: IncidentKind | None = None
    since: Moment | None = None
    limit: Annotated[int, Field(ge=1, le=100)] = 10


class AffectedAnswer(Output):
    """A component that it happened to."""

    id: str
    type: str
    name: str


class IncidentAnswer(Output):
    """An incident."""

    id: str
    kind: str
    occurred_at: Moment
    available_at: Moment
    status: str
    source_id: str | None
    narrative: str | None
    severity: str | None
    cause: str | None
    repair: str | None
    location: LocationAnswer | None
    created_at: Moment | None
    synthetic: bool
    components: list[AffectedAnswer]


class Incidents(Page):
    """Incidents, newest first."""

    incidents: list[IncidentAnswer]


class RowErrors(Output):
    """A row that was not written, and why."""

    row: int
    errors: list[RowFault]


class RowFault(Output):
    """One field of a row."""

    field: str
    message: str


class IncidentImported(Output):
    """What became of the rows."""

    created: int
    updated: int
    unchanged: int
    rejected: list[RowErrors]


class SearchHit(Output):
    """A similar incident."""

    incident: dict[str, Any]
    source_id: str | None
    score: float
    parts: dict[str, float | None]
    highlights: list[str]
    components: list[dict[str, Any]]
    hops: int | None


class IndexAnswer(Output):
    """How far the index of incidents is."""

    indexed: int = Field(description="incidents that search by meaning finds")
    pending: int = Field(description="changes that it still has to learn")


class SearchAnswer(Output):
    """Similar incidents, best first."""

    results: list[SearchHit]


RowErrors.model_rebuild()
