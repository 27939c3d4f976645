"""BERT with mean pooling, written down as an ONNX graph around given weights.

The encoder of Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers" (2019), in the shape of
all-MiniLM-L6-v2, then the mean of the token vectors that are not padding, scaled to length one (Reimers and
Gurevych, "Sentence-BERT", 2019).

Inputs ``input_ids`` and ``attention_mask`` are int64 [texts, tokens]; output ``embedding`` is float32 [texts, 384].
The same weights give the same bytes: names are counted, nothing carries a time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, checker, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
_MASKED = -1e9  # added to the score of a padded token; exp() of it is 0 in float32

Weights = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class BertShape:
    """What the model's own config.json states about its shape."""

    layers: int
    heads: int
    hidden: int
    epsilon: float

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> BertShape:
        """The shape of a BERT encoder with absolute positions and exact GELU; ValueError for any other."""
        if config.get("model_type") != "bert" or config.get("hidden_act") != "gelu":
            raise ValueError("not a BERT encoder with the exact GELU")
        if config.get("position_embedding_type", "absolute") != "absolute":
            raise ValueError("not a BERT encoder with absolute positions")
        return cls(
            layers=int(config["num_hidden_layers"]),
            heads=int(config["num_attention_heads"]),
            hidden=int(config["hidden_size"]),
            epsilon=float(config["layer_norm_eps"]),
        )


class _Builder:
    """Nodes and constants in the order in which they were asked for."""

    def __init__(self) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: list[TensorProto] = []

    def constant(self, name: str, values: Any, kind: Any = np.float32) -> str:
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values, dtype=kind), name))
        return name

    def op(self, kind: str, inputs: Sequence[str], **attributes: Any) -> str:
        return self.ops(kind, inputs, 1, **attributes)[0]

    def ops(self, kind: str, inputs: Sequence[str], outputs: int, **attributes: Any) -> list[str]:
        number = len(self.nodes)
        names = [f"{kind}_{number}_{k}" for k in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=f"{kind}_{number}", **attributes))
        return names

    def dense(self, x: str, name: str, weight: NDArray[Any], bias: NDArray[Any]) -> str:
        """x W^T + b, as torch stores W."""
        product = self.op("MatMul", [x, self.constant(f"{name}.weight", weight.T)])
        return self.op("Add", [product, self.constant(f"{name}.bias", bias)])

    def layer_norm(self, x: str, name: str, weights: Weights, epsilon: float) -> str:
        scale = self.constant(f"{name}.weight", weights[f"{name}.weight"])
        bias = self.constant(f"{name}.bias", weights[f"{name}.bias"])
        return self.op("LayerNormalization", [x, scale, bias], axis=-1, epsilon=epsilon)


def build_graph(weights: Weights, shape: BertShape) -> ModelProto:
    """The checked ONNX model of a BERT encoder with mean pooling and normalisation."""
    b = _Builder()
    zero = b.constant("zero", [0], np.int64)
    one = b.constant("one", [1], np.int64)
    mask = b.op("Cast", ["attention_mask"], to=TensorProto.FLOAT)

    x = _embeddings(b, weights, shape, zero, one)
    # [texts, 1, 1, tokens]: 0 where a token counts, a large negative number where it is padding
    open_mask = b.op("Unsqueeze", [mask, b.constant("mask_axes", [1, 2], np.int64)])
    padding = b.op("Sub", [b.constant("one_float", 1.0), open_mask])
    penalty = b.op("Mul", [padding, b.constant("masked", _MASKED)])
    for layer in range(shape.layers):
        x = _attention(b, weights, shape, f"encoder.layer.{layer}", x, penalty)
        x = _feed_forward(b, weights, shape, f"encoder.layer.{layer}", x)
    _pool(b, x, mask, one)

    graph = helper.make_graph(
        b.nodes,
        "sentence_embedding",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["texts", shape.hidden])],
        b.constants,
    )
    model = helper.make_model(
        graph,
        producer_name="wnis",
        ir_version=IR_VERSION,
        opset_imports=[helper.make_opsetid("", OPSET)],
    )
    checker.check_model(model)
    return model


def _embeddings(b: _Builder, weights: Weights, shape: BertShape, zero: str, one: str) -> str:
    words = b.op("Gather", [b.constant("words", weights["embeddings.word_embeddings.weight"]), "input_ids"], axis=0)
    # one text at a time, so every token is of type 0: its vector is added to the positions once and for all
    positions = weights["embeddings.position_embeddings.weight"] + weights["embeddings.token_type_embeddings.weight"][0]
    length = b.op("Slice", [b.op("Shape", ["input_ids"]), one, b.constant("two", [2], np.int64)])
    placed = b.op("Slice", [b.constant("positions", positions), zero, length, zero])
    return b.layer_norm(b.op("Add", [words, placed]), "embeddings.LayerNorm", weights, shape.epsilon)


def _attention(b: _Builder, weights: Weights, shape: BertShape, layer: str, x: str, penalty: str) -> str:
    name = f"{layer}.attention"
    width = shape.hidden // shape.heads
    # 1/sqrt(width) of the scores is folded into the query's weights; the three products become one
    scale = {"query": 1.0 / math.sqrt(width), "key": 1.0, "value": 1.0}
    weight = np.concatenate([weights[f"{name}.self.{part}.weight"] * np.float32(f) for part, f in scale.items()])
    bias = np.concatenate([weights[f"{name}.self.{part}.bias"] * np.float32(f) for part, f in scale.items()])
    sizes = b.constant(f"{name}.sizes", [shape.hidden] * 3, np.int64)
    parts = b.ops("Split", [b.dense(x, f"{name}.qkv", weight, bias), sizes], 3, axis=-1)
    by_head = b.constant(f"{name}.by_head", [0, 0, shape.heads, width], np.int64)
    query, key, value = (
        b.op("Transpose", [b.op("Reshape", [part, by_head])], perm=perm)
        for part, perm in zip(parts, ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]), strict=True)
    )
    scores = b.op("Add", [b.op("MatMul", [query, key]), penalty])
    context = b.op("MatMul", [b.op("Softmax", [scores], axis=-1), value])
    joined = b.op(
        "Reshape",
        [b.op("Transpose", [context], perm=[0, 2, 1, 3]), b.constant(f"{name}.joined", [0, 0, shape.hidden], np.int64)],
    )
    output = f"{name}.output.dense"
    mixed = b.dense(joined, output, weights[f"{output}.weight"], weights[f"{output}.bias"])
    return b.layer_norm(b.op("Add", [mixed, x]), f"{name}.output.LayerNorm", weights, shape.epsilon)


def _feed_forward(b: _Builder, weights: Weights, shape: BertShape, layer: str, x: str) -> str:
    inner, outer = f"{layer}.intermediate.dense", f"{layer}.output.dense"
    raised = b.dense(x, inner, weights[f"{inner}.weight"], weights[f"{inner}.bias"])
    # GELU(x) = x (1 + erf(x / sqrt 2)) / 2
    root = b.op("Div", [raised, b.constant(f"{inner}.sqrt2", math.sqrt(2.0))])
    gate = b.op("Add", [b.op("Erf", [root]), b.constant(f"{inner}.one", 1.0)])
    bent = b.op("Mul", [b.op("Mul", [raised, gate]), b.constant(f"{inner}.half", 0.5)])
    lowered = b.dense(bent, outer, weights[f"{outer}.weight"], weights[f"{outer}.bias"])
    return b.layer_norm(b.op("Add", [lowered, x]), f"{layer}.output.LayerNorm", weights, shape.epsilon)


def _pool(b: _Builder, x: str, mask: str, one: str) -> None:
    weight = b.op("Unsqueeze", [mask, b.constant("last", [-1], np.int64)])
    total = b.op("ReduceSum", [b.op("Mul", [x, weight]), one], keepdims=0)
    count = b.op("Max", [b.op("ReduceSum", [weight, one], keepdims=0), b.constant("tiny_count", 1e-9)])
    mean = b.op("Div", [total, count])
    length = b.op("Max", [b.op("ReduceL2", [mean], axes=[1], keepdims=1), b.constant("tiny_length", 1e-12)])
    b.nodes.append(helper.make_node("Div", [mean, length], ["embedding"], name="embedding"))
