"""A tiny reader in ONNX for tests: each word has a logit of its own, learnt from nothing."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

__all__ = ["write_tiny_reader"]

_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
_OTHER = -5.0
"""The logit of a word that is not named."""


def write_tiny_reader(
    folder: Path,
    *,
    start: Mapping[str, float],
    end: Mapping[str, float] | None = None,
    nowhere: float = 0.0,
    outputs: tuple[str, str] = ("start_logits", "end_logits"),
    about: Mapping[str, object] | None = None,
    inputs: tuple[str, ...] = ("input_ids",),
) -> Path:
    """Write a reader whose answer begins at words with a high `start` and ends at words with a high `end`; return its folder.

    `nowhere` is the logit of no answer. `about` is written as reader.json.
    """
    end = start if end is None else end
    words = sorted({*start, *end})
    vocabulary = {word: number for number, word in enumerate((*_SPECIAL, *words))}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> $B:1 </s>:1", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))

    def table(name: str, logits: Mapping[str, float]) -> onnx.TensorProto:
        values = np.full(len(vocabulary), _OTHER, np.float32)
        values[0] = nowhere / 2
        for word, logit in logits.items():
            values[vocabulary[word]] = logit
        return numpy_helper.from_array(values, name)

    graph = helper.make_graph(
        [helper.make_node("Gather", [name, "input_ids"], [output]) for name, output in zip(("s", "e"), outputs, strict=True)],
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.INT64, ["windows", "tokens"]) for name in inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["windows", "tokens"]) for name in outputs],
        [table("s", start), table("e", end)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(folder / "model.onnx"))
    if about is not None:
        (folder / "reader.json").write_text(json.dumps(about), "utf-8")
    return folder
