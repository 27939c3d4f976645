"""Turns sentences into vectors of length one; their inner product is the cosine of their meanings."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer
from wnis_core.errors import Unavailable

from wnis_ml.embedding.file_hash import sha256_of

DIMENSIONS = 384
MAX_TOKENS = 256
"""Longer texts are cut here, as the original model's sentence_bert_config.json has it."""

_BATCH_TOKENS = 4_096
_BATCH_TEXTS = 64

Vectors = NDArray[np.float32]


class SentenceEncoder:
    """The embedding model in memory; safe for threads.

    Parameters
    ----------
    folder : holds model.onnx, tokenizer.json and build.json
    threads : CPU threads of one call; half of the machine's unless stated, as a service does other work too

    Raises
    ------
    Unavailable
        the files are not there, or not the ones that were built
    """

    def __init__(self, folder: Path, *, threads: int | None = None) -> None:
        mend = "Run `make setup`, or `python -m wnis_ml.embedding.build`."
        try:
            stated = json.loads((folder / "build.json").read_text(encoding="utf-8"))
            whole = sha256_of(folder / "model.onnx") == stated["model_sha256"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Unavailable(f"There is no embedding model in {folder}.", mend=mend, retry_after_s=60) from error
        if not whole:
            raise Unavailable(f"The embedding model in {folder} is damaged.", mend=mend, retry_after_s=60)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or max(1, (os.cpu_count() or 1) // 2)
        options.inter_op_num_threads = 1
        # waiting threads sleep: they share their cores with other services
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self.model_sha256: str = stated["model_sha256"]
        self._session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_TOKENS)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Vectors of `texts` in their order, [texts, 384], each of length one."""
        tokens = [self._tokenizer.encode(_readable(text)).ids for text in texts]
        vectors = np.empty((len(tokens), DIMENSIONS), dtype=np.float32)
        for batch in _batches(tokens):
            longest = max(len(tokens[k]) for k in batch)
            ids = np.zeros((len(batch), longest), dtype=np.int64)
            mask = np.zeros_like(ids)
            for row, k in enumerate(batch):
                ids[row, : len(tokens[k])] = tokens[k]
                mask[row, : len(tokens[k])] = 1
            (answer,) = self._session.run(["embedding"], {"input_ids": ids, "attention_mask": mask})
            vectors[batch] = answer
        return vectors


def _batches(tokens: Sequence[Sequence[int]]) -> list[list[int]]:
    """Positions of `tokens` in batches of similar length, so that little is spent on padding."""
    batches: list[list[int]] = []
    for k in sorted(range(len(tokens)), key=lambda k: len(tokens[k])):
        full = batches and (len(batches[-1]) >= _BATCH_TEXTS or (len(batches[-1]) + 1) * len(tokens[k]) > _BATCH_TOKENS)
        if not batches or full:
            batches.append([])
        batches[-1].append(k)
    return batches


def _readable(text: str) -> str:
    """`text` without the lone surrogates that JSON may carry and the tokenizer refuses."""
    return text.encode("utf-8", "replace").decode("utf-8")
