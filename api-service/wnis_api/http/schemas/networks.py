"""Networks: imported, listed, drawn."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from wnis_api.http.schemas.common import Id, Input, Moment, Output, Page, PageQuery, Text


class NewNetwork(Input):
    """An EPANET INP file as a network; an id that is known is imported again."""

    id: Id
    name: Text | None = None
    crs: Annotated[str, StringConstraints(max_length=20, pattern=r"^(EPSG:|epsg:)?[0-9]{1,6}$")] | None = Field(
        default=None, description="coordinate reference system as EPSG:n; without it the network is drawn on a plane"
    )
    strict: bool = Field(default=False, description="refuse what would be lost or read otherwise than it looks")
    dry_run: bool = Field(default=False, description="read, check and say what would change; nothing is written")
    synthetic: bool = Field(default=False, description="made by a generator or for demonstration; shown as such")


class SampleName(StrEnum):
    """Networks that come with the program."""

    MINI = "mini"
    NET1 = "Net1"
    NET2 = "Net2"
    NET3 = "Net3"
    NET6 = "Net6"
    KY4 = "ky4"
    KY10 = "ky10"


class SampleNetwork(Input):
    """A sample network, under its own name unless `network_id` is given."""

    name: SampleName
    network_id: Id | None = None


class NetworkJob(Output):
    """An accepted import."""

    job_id: str
    network_id: str


class PlaneAnswer(Output):
    """Drawing of a network without CRS: degrees = (source - centre) * scale."""

    x: float
    y: float
    scale: float


class NetworkAnswer(Output):
    """A network; `counts` are its components by type."""

    id: str
    name: str
    title: str
    source_name: str | None
    source_sha256: str | None
    flow_unit: str | None
    headloss_formula: str | None
    duration_s: float | None
    crs: str | None
    plane: PlaneAnswer | None
    revision: int
    remarks: list[str]
    created_at: Moment | None
    updated_at: Moment | None
    synthetic: bool
    counts: dict[str, int]
    as_of: Moment | None = None


class Networks(Page):
    """Networks by id."""

    networks: list[NetworkAnswer]


class FileVersion(StrEnum):
    """The network as the graph has it, or the file that it was imported from."""

    PRESENT = "present"
    IMPORTED = "imported"


class Orphans(StrEnum):
    """What becomes of controls, rules and options that name what was removed."""

    REFUSE = "refuse"
    DROP = "drop"


class InpQuery(Input):
    """Which file, and what to leave out of it."""

    version: FileVersion = FileVersion.PRESENT
    orphans: Orphans = Orphans.REFUSE


class NetworkQuery(PageQuery):
    """Paging of the list."""


class ZoneAnswer(Output):
    """A zone with the number of its components."""

    id: str
    name: str
    kind: str
    network: str
    components: int


class Zones(Page):
    """Zones of a network."""

    zones: list[ZoneAnswer]
