"""What a load measurement is to do, as YAML: endpoints, stages of concurrency, thresholds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from wnis_core.errors import BadRequest, FieldProblem, InvalidValue, NotFound

PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
BARE_VIEW_PATH = re.compile(r"/components/\{[a-z_]+\}")

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,40}$")]
Seconds = Annotated[float, Field(ge=0, le=3600)]
Scalar = str | int | float | bool

_MOST = 200
"""Endpoints are numbered by a byte in the records."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Parameter(_Part):
    """Where the values of a placeholder come from: the graph (`source`), or a list in the file (`values`)."""

    source: Literal["components", "networks", "zones", "runs", "incidents", "words"] | None = Field(
        default=None, alias="from"
    )
    type: str | None = Field(default=None, description="components of this type only, for example Pipe")
    network: str | None = None
    count: Annotated[int, Field(ge=1, le=12)] = Field(default=4, description="how many words of a narrative")
    values: tuple[Scalar, ...] = ()

    @model_validator(mode="after")
    def _one_origin(self) -> Parameter:
        if (self.source is None) == (not self.values):
            raise ValueError("give either from or values")
        return self


class Endpoint(_Part):
    """One kind of request, and its share among all."""

    name: Name
    weight: Annotated[float, Field(gt=0, le=1e6)] = 1.0
    method: Literal["GET", "POST"] = "GET"
    path: Annotated[str, Field(pattern=r"^/")]
    query: dict[str, Scalar] = {}
    body: dict[str, Any] | None = None
    parameters: dict[str, Parameter] = {}

    @model_validator(mode="after")
    def _every_placeholder_has_a_parameter(self) -> Endpoint:
        used = set(PLACEHOLDER.findall(self.path)) | set(_whole(self.query)) | set(_whole(self.body))
        if missing := used - self.parameters.keys():
            raise ValueError(f"no parameter named {', '.join(sorted(missing))}")
        if unused := self.parameters.keys() - used:
            raise ValueError(f"parameter {', '.join(sorted(unused))} occurs nowhere in path, query or body")
        return self


class ThinkTime(_Part):
    """Seconds that a client waits between two requests, drawn uniformly."""

    min_s: Seconds = 0.0
    max_s: Seconds = 0.0

    @model_validator(mode="after")
    def _in_order(self) -> ThinkTime:
        if self.max_s < self.min_s:
            raise ValueError("max_s is below min_s")
        return self


class Thresholds(_Part):
    """What a stage must keep; what is absent is reported and not judged."""

    p95_ms: Annotated[float, Field(gt=0)] | None = None
    errors: Annotated[int, Field(ge=0)] | None = None
    share_of_bare_view: Annotated[float, Field(gt=0)] | None = None
    disorderly: Annotated[int, Field(ge=0)] | None = Field(
        default=None, description="answers that are neither good nor 429 or 503 with Retry-After"
    )
    recovery_s: Annotated[float, Field(gt=0)] | None = None
    memory_growth_mb: Annotated[float, Field(gt=0)] | None = None


class Stage(_Part):
    """So many clients for so long.

    ``steady`` repeats in blocks, from which noise is known. ``overload`` is one pass: `clients` for `before_s`,
    `times` as many for `duration_s`, `clients` again for `after_s`.
    """

    name: Name
    kind: Literal["steady", "overload"] = "steady"
    clients: Annotated[int, Field(ge=1, le=5000)]
    duration_s: Annotated[float, Field(gt=0, le=3600)]
    ramp_s: Seconds = 0.0
    blocks: Annotated[int, Field(ge=1, le=100)] = 5
    endpoints: tuple[Name, ...] = ()
    think_time: ThinkTime = ThinkTime()
    beside_bare_view: bool = False
    times: Annotated[int, Field(ge=2, le=100)] = 10
    before_s: Annotated[float, Field(gt=0, le=3600)] = 10.0
    after_s: Annotated[float, Field(gt=0, le=3600)] = 15.0
    thresholds: Thresholds = Thresholds()

    @model_validator(mode="after")
    def _kind_fits(self) -> Stage:
        kept = self.thresholds
        if self.kind == "steady" and (kept.recovery_s or kept.memory_growth_mb):
            raise ValueError("recovery_s and memory_growth_mb are thresholds of an overload stage")
        if self.kind == "overload" and (self.beside_bare_view or kept.p95_ms or kept.errors is not None):
            raise ValueError("beside_bare_view, p95_ms and errors belong to a steady stage")
        if kept.share_of_bare_view and not self.beside_bare_view:
            raise ValueError("share_of_bare_view needs beside_bare_view: true")
        return self


class BenchConfig(_Part):
    """A whole measurement."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    seed: int = 1
    timeout_s: Annotated[float, Field(gt=0, le=600)] = 30.0
    warm_up_s: Seconds = 10.0
    processes: Annotated[int, Field(ge=1, le=64)] = Field(default=2, description="of the load generator, at most")
    clients_per_process: Annotated[int, Field(ge=1)] = Field(
        default=16, description="above this many clients another process is used, up to all"
    )
    requests_per_endpoint: Annotated[int, Field(ge=1, le=10_000)] = Field(
        default=200, description="different requests that are drawn for each endpoint"
    )
    endpoints: tuple[Endpoint, ...]
    stages: tuple[Stage, ...]

    @field_validator("endpoints", "stages")
    @classmethod
    def _distinct(cls, given: tuple[Any, ...]) -> tuple[Any, ...]:
        if not given:
            raise ValueError("there must be at least 1")
        if len(given) > _MOST:
            raise ValueError(f"there are more than {_MOST}")
        names = [one.name for one in given]
        if twice := {name for name in names if names.count(name) > 1}:
            raise ValueError(f"the name {', '.join(sorted(twice))} occurs twice")
        return given

    @model_validator(mode="after")
    def _stages_know_their_endpoints(self) -> BenchConfig:
        known = {endpoint.name: endpoint for endpoint in self.endpoints}
        for number, stage in enumerate(self.stages):
            if unknown := set(stage.endpoints) - known.keys():
                raise ValueError(f"stages.{number}.endpoints names {', '.join(sorted(unknown))}, which is not declared")
            chosen = self.endpoints_of(stage)
            if stage.beside_bare_view and not all(BARE_VIEW_PATH.fullmatch(e.path) and not e.query for e in chosen):
                raise ValueError(
                    f"stages.{number}.beside_bare_view: the bare view answers /components/{{id}} only,"
                    " so name endpoints with that path"
                )
        return self

    def endpoints_of(self, stage: Stage) -> tuple[Endpoint, ...]:
        """What the clients of `stage` ask for; all endpoints when it names none."""
        return tuple(e for e in self.endpoints if not stage.endpoints or e.name in stage.endpoints)


def read_config(file: Path) -> BenchConfig:
    """The measurement that `file` describes.

    Raises
    ------
    NotFound
        there is no such file
    BadRequest
        it is no YAML
    InvalidValue
        a field is missing, unknown or wrong; every such field is named
    """
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {file}.", mend="Name one, for example config/bench.yaml.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadRequest(f"{file} cannot be read ({error}).") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "cannot be parsed"
        raise BadRequest(f"{file} is not YAML{where}: {problem}.", mend="Correct the file.") from error
    try:
        return BenchConfig.model_validate(document)
    except ValidationError as error:
        fields = [
            FieldProblem(".".join(str(step) for step in one["loc"]) or "the file", one["msg"])
            for one in error.errors(include_url=False)
        ]
        raise InvalidValue(f"{file} does not describe a measurement.", mend="Correct it.", fields=fields) from error


def _whole(value: Any) -> list[str]:
    # in a query or a body a placeholder stands for a whole value
    if isinstance(value, str):
        found = PLACEHOLDER.fullmatch(value)
        return [found.group(1)] if found else []
    if isinstance(value, dict):
        return [name for one in value.values() for name in _whole(one)]
    if isinstance(value, list):
        return [name for one in value for name in _whole(one)]
    return []
