"""The requests of a measurement, with values drawn from the graph that is measured."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wnis_core.errors import NotFound

from wnis_ops.bench.api.config import PLACEHOLDER, BenchConfig, Endpoint, Parameter, Scalar
from wnis_ops.client import ApiClient, part

_LISTED = 2_000
"""So many of a list are read; more would not make the requests more varied."""


@dataclass(frozen=True)
class PreparedRequest:
    """A request as it is sent; `path` without the prefix of the API, `body` as JSON text or empty."""

    method: str
    path: str
    body: str


@dataclass(frozen=True)
class PreparedEndpoint:
    """The requests among which a client of this endpoint chooses."""

    name: str
    weight: float
    requests: tuple[PreparedRequest, ...]


def draw(config: BenchConfig, client: ApiClient) -> tuple[PreparedEndpoint, ...]:
    """The same requests for the same seed and the same graph.

    Raises
    ------
    NotFound
        the graph has nothing from which a parameter could be drawn
    """
    known: dict[Parameter, Sequence[Scalar]] = {}

    def values_of(endpoint: Endpoint, name: str) -> Sequence[Scalar]:
        parameter = endpoint.parameters[name]
        if parameter not in known:
            known[parameter] = parameter.values or _SOURCES[str(parameter.source)](client, parameter)
        if not known[parameter]:
            raise NotFound(
                f"The graph has no {parameter.source} for the parameter {name} of endpoint {endpoint.name}.",
                mend="Load the demonstration (wnis up --demo), or change the parameter.",
            )
        return known[parameter]

    prepared = []
    for endpoint in config.endpoints:
        chance = random.Random(f"{config.seed} {endpoint.name}")  # noqa: S311  # repeatable, nothing secret
        choices = {name: values_of(endpoint, name) for name in endpoint.parameters}
        count = config.requests_per_endpoint if choices else 1
        requests = tuple(
            prepared_request(endpoint, {name: chance.choice(some) for name, some in choices.items()})
            for _ in range(count)
        )
        prepared.append(PreparedEndpoint(endpoint.name, endpoint.weight, requests))
    return tuple(prepared)


def prepared_request(endpoint: Endpoint, values: Mapping[str, Scalar]) -> PreparedRequest:
    """`endpoint` with `values` in the place of its placeholders."""
    path = PLACEHOLDER.sub(lambda found: part(str(values[found.group(1)])), endpoint.path)
    if endpoint.query:
        pairs = [(name, _filled(value, values)) for name, value in endpoint.query.items()]
        path += "?" + "&".join(f"{part(name)}={part(_as_query(value))}" for name, value in pairs)
    body = "" if endpoint.body is None else json.dumps(_filled(endpoint.body, values))
    return PreparedRequest(endpoint.method, path, body)


def _as_query(value: Scalar) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _filled(value: Any, values: Mapping[str, Scalar]) -> Any:
    if isinstance(value, str):
        found = PLACEHOLDER.fullmatch(value)
        return values[found.group(1)] if found else value
    if isinstance(value, dict):
        return {name: _filled(one, values) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, values) for one in value]
    return value


def _components(client: ApiClient, parameter: Parameter) -> list[Scalar]:
    found = _some(client, "/components", type=parameter.type, network=parameter.network)
    return [str(one["id"]) for one in found]


def _networks(client: ApiClient, _: Parameter) -> list[Scalar]:
    return [str(one["id"]) for one in _some(client, "/networks")]


def _zones(client: ApiClient, parameter: Parameter) -> list[Scalar]:
    networks = [parameter.network] if parameter.network else [str(n) for n in _networks(client, parameter)]
    return [str(one["id"]) for network in networks for one in client.get(f"/networks/{part(network)}/zones")["zones"]]


def _runs(client: ApiClient, parameter: Parameter) -> list[Scalar]:
    found = _some(client, "/simulations", network=parameter.network)
    return [str(one["id"]) for one in found if (one["state"], one["kind"]) == ("succeeded", "hydraulic")]


def _incidents(client: ApiClient, _: Parameter) -> list[Scalar]:
    return [str(one["id"]) for one in _some(client, "/incidents")]


def _words(client: ApiClient, parameter: Parameter) -> list[Scalar]:
    # words that stand together in a narrative: what a person who remembers an incident would type
    spoken = []
    for incident in _some(client, "/incidents"):
        words = re.findall(r"[A-Za-z]{2,}", incident["narrative"] or "")
        if len(words) >= parameter.count:
            start = len(words) // 2 - parameter.count // 2
            spoken.append(" ".join(words[start : start + parameter.count]))
    return sorted(set(spoken))


def _some(client: ApiClient, path: str, **query: Any) -> list[dict[str, Any]]:
    # in the order of their ids, whatever order the list has
    found = []
    for one in client.pages(path, **query):
        found.append(one)
        if len(found) == _LISTED:
            break
    return sorted(found, key=lambda one: str(one["id"]))


_SOURCES: Mapping[str, Callable[[ApiClient, Parameter], list[Scalar]]] = {
    "components": _components,
    "networks": _networks,
    "zones": _zones,
    "runs": _runs,
    "incidents": _incidents,
    "words": _words,
}
