"""Our encoder against the original sentence-transformers.

``minilm_vectors.json`` was made once: sentence-transformers 6.2.0 and torch 2.15.0 on one CPU thread,
``SentenceTransformer(<the model folder of the wheel that requirements-model.txt locks>).encode(texts, batch_size=4)``.
The texts cover jargon, German, French, Chinese and an emoji, odd spaces, nothing at all, and 662 tokens (cut at 256).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from wnis_core.settings import share_dir
from wnis_ml.embedding.build import read_lock, up_to_date
from wnis_ml.embedding.encoder import SentenceEncoder

MODEL_SHA256 = "a3cc0f56cd96dbbb52c7eefd3414790fcbe920b2f7669752ffbe37635532d475"


@dataclass(frozen=True)
class Published:
    texts: list[str]
    vectors: np.ndarray


@pytest.fixture(scope="module")
def published() -> Published:
    document = json.loads((Path(__file__).parent / "minilm_vectors.json").read_text(encoding="utf-8"))
    assert document["wheel_sha256"] == read_lock().sha256
    pairs = document["vectors"]
    return Published([p["text"] for p in pairs], np.array([p["vector"] for p in pairs]))


@pytest.fixture(scope="module")
def encoder() -> SentenceEncoder:
    return SentenceEncoder(share_dir() / "minilm")


def test_set_up_made_the_very_bytes_that_were_checked(encoder: SentenceEncoder) -> None:
    assert up_to_date(share_dir() / "minilm", read_lock())
    assert encoder.model_sha256 == MODEL_SHA256


def test_every_sentence_points_where_the_original_points(encoder: SentenceEncoder, published: Published) -> None:
    cosines = (encoder.encode(published.texts) * published.vectors).sum(axis=1)
    assert cosines.min() >= 0.9999


def test_a_sentence_alone_and_in_company_has_one_vector(encoder: SentenceEncoder, published: Published) -> None:
    together = encoder.encode(published.texts)
    alone = np.concatenate([encoder.encode([text]) for text in published.texts])
    assert np.abs(together - alone).max() < 1e-5


def test_near_meanings_are_nearer_than_far_ones(encoder: SentenceEncoder) -> None:
    split, crack, invoice = encoder.encode(
        ["the pipe cracked around its circumference", "a ring fracture of the main", "the invoice was paid late"]
    )
    assert split @ crack > split @ invoice + 0.2
