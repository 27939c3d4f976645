"""What narratives and queries mean: vectors, and the trade's words for what a query describes in plain ones.

A sentence model of general English knows little of the trade: to it a "ring fracture" is nearer to jewellery than to
a "round crack". So a query is compared with plain descriptions of what happens to water networks (``jargon.toml``),
and the concepts it comes near are asked for in the trade's words too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from wnis_ml.embedding.encoder import SentenceEncoder, Vectors
from wnis_ml.search.jargon import Concept, Jargon, telling, words_of

NEAR = 0.4
"""Cosine with a plain description from which a query is taken to mean the concept."""
CLOSE_CALL = 0.05
"""A second concept counts too when it is no further behind the first."""
CONCEPTS = 2
TRADE_WEIGHT = 1.5
"""Length of the trade's part of a query's vector; the query's own has length one."""


@dataclass(frozen=True)
class Query:
    """A query understood.

    Parameters
    ----------
    vector : what it means, of length one
    words : its telling words, abbreviations written out
    short_forms : abbreviations of what it spells out
    trade_words : telling words by which the trade writes the concepts it means
    concepts : names of these concepts, the nearest first
    """

    vector: NDArray[np.float32]
    words: tuple[str, ...]
    short_forms: frozenset[str]
    trade_words: tuple[str, ...]
    concepts: tuple[str, ...]


class Meaning:
    """Encoder and jargon together; safe for threads."""

    def __init__(self, encoder: SentenceEncoder, jargon: Jargon) -> None:
        self._encoder = encoder
        self._jargon = jargon
        plain = [(k, text) for k, concept in enumerate(jargon.concepts) for text in concept.plain]
        self._concept_of = np.array([k for k, _ in plain])
        self._plain = encoder.encode([text for _, text in plain])
        self._trade = np.stack([encoder.encode(concept.trade).mean(axis=0) for concept in jargon.concepts])
        # unlike sentences, the mean of several is shorter than one; without this vague concepts would weigh less
        self._trade /= np.linalg.norm(self._trade, axis=1, keepdims=True)
        self.fingerprint = sha256(f"{encoder.model_sha256} {jargon.fingerprint}".encode()).hexdigest()

    def of_narratives(self, texts: Sequence[str]) -> Vectors:
        """Vectors of what people wrote."""
        return self._encoder.encode([self._jargon.spell_out(text) for text in texts])

    def of_query(self, text: str) -> Query:
        """What a query means."""
        spelled = self._jargon.spell_out(text)
        own = self._encoder.encode([spelled])[0]
        concepts = self._near(own)
        vector = own
        if concepts:
            vector = own + TRADE_WEIGHT * self._trade[concepts].mean(axis=0)
            vector = vector / np.linalg.norm(vector)
        words = tuple(telling(words_of(spelled)))
        meant: list[Concept] = [self._jargon.concepts[k] for k in concepts]
        trade = telling(word for concept in meant for phrase in concept.trade for word in words_of(phrase))
        return Query(
            vector=vector.astype(np.float32),
            words=words,
            short_forms=frozenset(self._jargon.short_forms(spelled)),
            trade_words=tuple(word for word in trade if word not in words),
            concepts=tuple(concept.name for concept in meant),
        )

    def _near(self, vector: NDArray[np.float32]) -> list[int]:
        near = self._plain @ vector
        best = np.array([near[self._concept_of == k].max() for k in range(len(self._jargon.concepts))])
        order = np.argsort(-best, kind="stable")[:CONCEPTS]
        return [int(k) for k in order if best[k] >= NEAR and best[k] >= best[order[0]] - CLOSE_CALL]
