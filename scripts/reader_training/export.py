"""Write the network as ONNX, with weights of 8 bits and a scale a row, and read it again."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer

from reader_training.encoder import UNKNOWN
from reader_training.network import HEADS, LAYERS, POSITIONS, WIDTH, Network

__all__ = ["read_reader", "write_reader"]

SEPARATOR = " "
"""What stands between a context line and its text: in training they follow each other directly."""
_OPSET, _IR = 20, 9
_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_OUTPUTS = ("start_logits", "end_logits")
Array = npt.NDArray[Any]


def write_reader(network: Network, tokenizer: Tokenizer, folder: Path) -> None:
    """Write model.onnx, tokenizer.json and reader.json, which has the sums of both."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: value.detach().float().numpy() for name, value in network.state_dict().items()}
    onnx.save(_Graph(weights).model(), str(folder / "model.onnx"))
    about = json.loads(tokenizer.to_str())
    about["added_tokens"] = []
    for number in range(UNKNOWN + 1):  # no text has a piece with a blank: it cannot write a special one
        about["model"]["vocab"][number][0] = f" {about['model']['vocab'][number][0].strip()}"
    (folder / "tokenizer.json").write_text(json.dumps(about, ensure_ascii=False, separators=(",", ":")), "utf-8")
    sums = {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("model.onnx", "tokenizer.json")}
    (folder / "reader.json").write_text(json.dumps({"separator": SEPARATOR, "sha256": sums}, indent=1) + "\n", "utf-8")


def read_reader(folder: Path) -> dict[str, Array]:
    """Return the weights of a written reader by the names of the network's parameters.

    Those of 8 bits are floats again.
    """
    stored = {one.name: numpy_helper.to_array(one) for one in onnx.load(str(folder / "model.onnx")).graph.initializer}

    def matrix(name: str) -> Array:
        floats: Array = stored[f"{name}.q"].astype(np.float32) * stored[f"{name}.s"]
        return floats.T

    weights = {
        "word.weight": stored["word.q"].astype(np.float32) * stored["word.s"],
        "pos.weight": stored["positions"],
        "typ": stored["types"],
        "eln.weight": stored["embedding.w"],
        "eln.bias": stored["embedding.b"],
        "head.weight": stored["head.w"].T,
        "head.bias": stored["head.b"],
    }
    for number in range(LAYERS):
        key, name = f"layers.{number}", f"layer{number}"
        weights[f"{key}.qkv.weight"] = np.concatenate([matrix(f"{name}.{part}") for part in "qkv"])
        weights[f"{key}.qkv.bias"] = np.concatenate([stored[f"{name}.{part}.b"] for part in "qkv"])
        for part in ("ao", "fi", "fo"):
            weights[f"{key}.{part}.weight"] = matrix(f"{name}.{part}")
            weights[f"{key}.{part}.bias"] = stored[f"{name}.{part}.b"]
        for part in ("aln", "oln"):
            weights[f"{key}.{part}.weight"] = stored[f"{name}.{part}.w"]
            weights[f"{key}.{part}.bias"] = stored[f"{name}.{part}.b"]
    return weights


class _Graph:
    """The nodes and constants of the network; each node is named as its output."""

    def __init__(self, weights: dict[str, Array]) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def model(self) -> onnx.ModelProto:
        """Return the checked model."""
        self._logits(self._layers(self._embedded()))
        graph = helper.make_graph(
            self.nodes,
            "reader",
            [helper.make_tensor_value_info(name, TensorProto.INT64, ["windows", "tokens"]) for name in _INPUTS],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["windows", "tokens"]) for name in _OUTPUTS],
            self.constants,
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=_IR, producer_name="htxsearch"
        )
        onnx.checker.check_model(model)
        return model

    def constant(self, name: str, value: Array) -> str:
        """Add a constant and return its name."""
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        """Add a node and return the name of its output."""
        self.nodes.append(helper.make_node(kind, list(inputs), [output], name=output, **attributes))
        return output

    def linear(self, x: str, name: str, weight: Array, bias: Array) -> str:
        """Return x · weightᵀ + bias; `weight` is (out, in)."""
        quantised, scale = _eight_bits(weight.T, 0)
        inputs = [self.constant(f"{name}.q", quantised), self.constant(f"{name}.s", scale)]
        self.node("DequantizeLinear", inputs, f"{name}.w", axis=1)
        product = self.node("MatMul", [x, f"{name}.w"], f"{name}.product")
        return self.node("Add", [product, self.constant(f"{name}.b", bias)], name)

    def norm(self, x: str, name: str, key: str) -> str:
        """Return the layer normalisation of x with the weights `key`."""
        inputs = [
            x,
            self.constant(f"{name}.w", self.weights[f"{key}.weight"]),
            self.constant(f"{name}.b", self.weights[f"{key}.bias"]),
        ]
        return self.node("LayerNormalization", inputs, name, axis=-1, epsilon=1e-12)

    def _embedded(self) -> str:
        """Return the sum of the embeddings of pieces, positions and types, and add the attention's mask."""
        quantised, scale = _eight_bits(self.weights["word.weight"], 1)
        self.node("Gather", [self.constant("word.q", quantised), _INPUTS[0]], "word.rows")
        self.node("Gather", [self.constant("word.s", scale[:, np.newaxis]), _INPUTS[0]], "word.scales")
        self.node("Mul", [self.node("Cast", ["word.rows"], "word.floats", to=TensorProto.FLOAT), "word.scales"], "word")
        for name, value in (("zero", 0), ("one", 1), ("two", 2)):
            self.constant(name, np.array([value], np.int64))
        self.node("Slice", [self.node("Shape", [_INPUTS[0]], "shape"), "one", "two"], "length")
        positions = self.constant("positions", self.weights["pos.weight"][:POSITIONS])
        self.node("Unsqueeze", [self.node("Slice", [positions, "zero", "length"], "position.rows"), "zero"], "position")
        self.node("Gather", [self.constant("types", self.weights["typ"]), _INPUTS[2]], "type")
        both = self.node("Add", [self.node("Add", ["word", "position"], "word.position"), "type"], "embedded")
        axes = self.constant("axes", np.array([1, 2], np.int64))
        mask = self.node("Cast", [self.node("Unsqueeze", [_INPUTS[1], axes], "mask.wide")], "mask.floats", to=TensorProto.FLOAT)
        absent = self.node("Sub", [self.constant("present", np.array(1, np.float32)), mask], "mask.absent")
        self.node("Mul", [absent, self.constant("nowhere", np.array(-1e4, np.float32))], "mask")
        return self.norm(both, "embedding", "eln")

    def _layers(self, x: str) -> str:
        """Return the output of all layers."""
        size = WIDTH // HEADS
        self.constant("heads", np.array([0, 0, HEADS, size], np.int64))
        self.constant("flat", np.array([0, 0, WIDTH], np.int64))
        self.constant("scale", np.array(1 / np.sqrt(size), np.float32))
        for number in range(LAYERS):
            key, name = f"layers.{number}", f"layer{number}"
            weight, bias = self.weights[f"{key}.qkv.weight"], self.weights[f"{key}.qkv.bias"]
            parts = []
            for place, part in enumerate("qkv"):
                rows = slice(place * WIDTH, (place + 1) * WIDTH)
                own = self.linear(x, f"{name}.{part}", weight[rows], bias[rows])
                order = [0, 2, 3, 1] if part == "k" else [0, 2, 1, 3]
                parts.append(
                    self.node("Transpose", [self.node("Reshape", [own, "heads"], f"{own}.split")], f"{own}.turned", perm=order)
                )
            logits = self.node("Mul", [self.node("MatMul", parts[:2], f"{name}.logits"), "scale"], f"{name}.scaled")
            shares = self.node("Softmax", [self.node("Add", [logits, "mask"], f"{name}.masked")], f"{name}.shares", axis=-1)
            mixed = self.node(
                "Transpose", [self.node("MatMul", [shares, parts[2]], f"{name}.mixed")], f"{name}.back", perm=[0, 2, 1, 3]
            )
            joined = self.node("Reshape", [mixed, "flat"], f"{name}.joined")
            out = self.linear(joined, f"{name}.ao", self.weights[f"{key}.ao.weight"], self.weights[f"{key}.ao.bias"])
            x = self.norm(self.node("Add", [x, out], f"{name}.sum"), f"{name}.aln", f"{key}.aln")
            wide = self.linear(x, f"{name}.fi", self.weights[f"{key}.fi.weight"], self.weights[f"{key}.fi.bias"])
            out = self.linear(
                self.node("Gelu", [wide], f"{name}.gelu"),
                f"{name}.fo",
                self.weights[f"{key}.fo.weight"],
                self.weights[f"{key}.fo.bias"],
            )
            x = self.norm(self.node("Add", [x, out], f"{name}.sum2"), f"{name}.oln", f"{key}.oln")
        return x

    def _logits(self, x: str) -> None:
        """Add the head: the logits of start and end."""
        product = self.node("MatMul", [x, self.constant("head.w", self.weights["head.weight"].T)], "head.product")
        both = self.node("Add", [product, self.constant("head.b", self.weights["head.bias"])], "head")
        self.nodes.append(helper.make_node("Split", [both], ["start.wide", "end.wide"], axis=2, num_outputs=2))
        self.node("Squeeze", ["start.wide", "two"], _OUTPUTS[0])
        self.node("Squeeze", ["end.wide", "two"], _OUTPUTS[1])


def _eight_bits(values: Array, axis: int) -> tuple[Array, Array]:
    """Return values as int8 and the scale of each row or column; `axis` is the one that shares a scale."""
    scale = np.maximum(np.abs(values).max(axis=axis, keepdims=True), 1e-8) / 127
    return np.clip(np.rint(values / scale), -127, 127).astype(np.int8), scale.astype(np.float32).reshape(-1)
