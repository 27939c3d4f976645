"""Finds incidents that resemble a description, by meaning and by words, near a component if asked.

The two rankings are fused by their ranks (Cormack, Clarke and Buettcher, "Reciprocal rank fusion outperforms
Condorcet and individual rank learning methods", SIGIR 2009): an incident at rank r of a ranking gains 1/(60 + r).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from wnis_graph.repositories.incidents import Incident, IncidentRepository
from wnis_graph.scope import Scope

from wnis_ml.search.jargon import inflections, stem, words_of
from wnis_ml.search.meaning import Meaning, Query
from wnis_ml.search.vectors import VectorFilter, VectorStore

DEFAULT_HOPS = 3
DEFAULT_LIMIT = 10
MOST_RESULTS = 100

_FUSION = 60
_POOL = 50
# a sentence ends at a stop and a space, unless one letter stands before the stop: C.I. MAIN
_SENTENCE_END = re.compile(r"(?<=[.;!?])(?<!\b\w\.)\s+|\n+")
_HIGHLIGHTS = 3
_MOST_WORDS = 36
"""Words that are looked up; eight inflections in three fields stay below Lucene's 1,024 clauses."""

Distances = Callable[[Scope, str, int], Mapping[str, int]]
"""Hops from a component to every component within some hops (itself at 0); raises `NotFound` for an unknown one."""


@dataclass(frozen=True)
class Asked:
    """What somebody asks; `hops` counts from `component_id` and `since` is inside."""

    query: str
    component_id: str | None = None
    hops: int | None = None
    zone: str | None = None
    kind: str | None = None
    since: datetime | None = None
    limit: int = DEFAULT_LIMIT


@dataclass(frozen=True)
class Found:
    """An incident that answers.

    Parameters
    ----------
    score : 1 when it leads both rankings
    semantic : cosine of its words' meaning and the query's; none when other incidents were nearer
    lexical : score of its words in the full-text index; none when none of them matches
    highlights : the sentences of its narrative that hold most of the words asked for
    hops : distance of the nearest component it affected, when the query names one
    """

    incident: Incident
    score: float
    semantic: float | None
    lexical: float | None
    highlights: tuple[str, ...]
    hops: int | None


class IncidentSearch:
    """Answers queries; safe for threads."""

    def __init__(
        self, incidents: IncidentRepository, store: VectorStore, meaning: Meaning, distances: Distances
    ) -> None:
        self._incidents = incidents
        self._store = store
        self._meaning = meaning
        self._distances = distances

    def search(self, scope: Scope, asked: Asked) -> list[Found]:
        """The best answers, best first.

        Raises
        ------
        NotFound
            the component or the zone
        Unavailable
            the graph or the vector store is down
        """
        near = self._near(scope, asked)
        where = self._where(scope, asked, near)
        understood = self._meaning.of_query(asked.query)
        pool = max(_POOL, 2 * asked.limit)
        wanted = VectorFilter(kind=asked.kind, components=where, since=asked.since)
        semantic = {h.id: h.score for h in self._store.search(scope.utility, understood.vector, wanted, pool)}
        lexical = self._by_words(scope, understood, asked, where, pool)
        scores = fuse([list(semantic), list(lexical)])
        ranked = sorted(scores, key=lambda incident_id: (-scores[incident_id], incident_id))
        answers: list[Found] = []
        while ranked and len(answers) < asked.limit:
            part, ranked = ranked[: asked.limit], ranked[asked.limit :]
            # the index may be a moment behind the graph, which has the last word
            incidents = self._incidents.get_many(scope, part)
            answers += [
                Found(
                    incident=incidents[incident_id],
                    score=scores[incident_id],
                    semantic=semantic.get(incident_id),
                    lexical=lexical.get(incident_id),
                    highlights=highlights(incidents[incident_id].narrative or "", understood),
                    hops=_nearest(incidents[incident_id], near),
                )
                for incident_id in part
                if incident_id in incidents and _still_wanted(incidents[incident_id], asked, where)
            ]
        return answers[: asked.limit]

    def _by_words(
        self, scope: Scope, understood: Query, asked: Asked, where: Sequence[str] | None, pool: int
    ) -> dict[str, float]:
        lucene = lucene_of(understood)
        if not lucene:
            return {}
        return dict(
            self._incidents.find_words(scope, lucene, kind=asked.kind, since=asked.since, components=where, limit=pool)
        )

    def _near(self, scope: Scope, asked: Asked) -> Mapping[str, int] | None:
        if asked.component_id is None:
            return None
        return self._distances(scope, asked.component_id, DEFAULT_HOPS if asked.hops is None else asked.hops)

    def _where(self, scope: Scope, asked: Asked, near: Mapping[str, int] | None) -> list[str] | None:
        if asked.zone is None:
            return None if near is None else list(near)
        inside = self._incidents.components_of_zone(scope, asked.zone)
        return inside if near is None else [component for component in inside if component in near]


def fuse(rankings: Sequence[Sequence[str]]) -> dict[str, float]:
    """Reciprocal rank fusion, scaled so that the first of all rankings scores 1."""
    scores: dict[str, float] = defaultdict(float)
    for ranking in rankings:
        for rank, incident_id in enumerate(ranking, start=1):
            scores[incident_id] += 1.0 / (_FUSION + rank)
    best = len(rankings) / (_FUSION + 1)
    return {incident_id: score / best for incident_id, score in scores.items()}


def lucene_of(query: Query) -> str:
    """The words of `query` and their inflections, any of which may match, in Lucene's syntax; empty without words."""
    words = (*query.words, *query.trade_words)
    # in a long query the words that the trade would use must not be the ones cut off
    kept = (
        (*query.words[: _MOST_WORDS - len(query.trade_words)], *query.trade_words)
        if len(words) > _MOST_WORDS
        else words
    )
    clauses = [_any_of(inflections(word)) for word in kept]
    return " OR ".join([*clauses, *(_quoted(short) for short in sorted(query.short_forms))])


def highlights(narrative: str, query: Query) -> tuple[str, ...]:
    """Up to three sentences of `narrative` with the most words of the query, in their order; or nothing."""
    wanted = {stem(word) for word in (*query.words, *query.trade_words)} | {
        s for s in query.short_forms if "." not in s
    }
    sentences = [part.strip() for part in _SENTENCE_END.split(narrative)]
    hits = [len(wanted & {stem(word) for word in words_of(sentence)}) for sentence in sentences]
    best = sorted((k for k, n in enumerate(hits) if n), key=lambda k: (-hits[k], k))[:_HIGHLIGHTS]
    return tuple(sentences[k] for k in sorted(best))


def _any_of(words: Iterable[str]) -> str:
    return "(" + " OR ".join(_quoted(word) for word in sorted(words)) + ")"


def _quoted(word: str) -> str:
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _nearest(incident: Incident, near: Mapping[str, int] | None) -> int | None:
    if near is None:
        return None
    return min((near[c.id] for c in incident.components if c.id in near), default=None)


def _still_wanted(incident: Incident, asked: Asked, where: Sequence[str] | None) -> bool:
    return (
        (asked.kind is None or incident.kind == asked.kind)
        and (asked.since is None or incident.occurred_at >= asked.since)
        and (where is None or not {c.id for c in incident.components}.isdisjoint(where))
    )
