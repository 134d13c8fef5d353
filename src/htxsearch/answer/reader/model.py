"""An extractive reader in ONNX: which span of a few windows is the answer.

A reader is a folder of three files:

model.onnx       inputs input_ids, attention_mask and perhaps token_type_ids (windows, tokens) int64; outputs
                 start_logits and end_logits (windows, tokens), position 0 standing for "no answer here", as in SQuAD 2.0
                 (P. Rajpurkar et al., "Know What You Don't Know", 2018)
tokenizer.json   the tokenizer of the model (Hugging Face tokenizers) with the template of a pair of texts
reader.json      optional: `sha256` of the other two files by name; `separator`, the special piece between the line of context
                 and the text of a window (a line break, if it is not there)

The product's own lies beside this module; `--reader` names another. onnxruntime and the model are loaded by the first question.
"""

import ctypes
import hashlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from htxsearch.errors import ReaderUnavailable

if TYPE_CHECKING:
    import onnxruntime
    from tokenizers import Tokenizer

__all__ = ["OWN_READER", "ReadWindow", "Reader", "reader_at"]

OWN_READER = Path(__file__).parent / "weights"
"""The folder of the product's own reader."""

_MOST_TOKENS = 384
"""Tokens of question and window; the end of a longer window is cut."""
_MOST_QUESTION_CHARACTERS, _MOST_QUESTION_TOKENS = 1000, 64
"""Characters and tokens of a question that the model reads."""
_THREADS = 4
"""Most threads of one reading: more gain nothing on a few hundred tokens."""
_INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})

_Floats = NDArray[np.float32]


class ReadWindow(NamedTuple):
    """The logits of one window's tokens.

    `start` and `end` (tokens,) are the logits of the tokens that lie in the window's text, in text order; `spans` are their
    spans in that text. `no_start` and `no_end` are the logits of no answer.
    """

    start: _Floats
    end: _Floats
    spans: list[tuple[int, int]]
    no_start: float
    no_end: float


@dataclass(frozen=True)
class Reader:
    """A reader in a folder. Nothing is loaded before the first reading.

    Raises ReaderUnavailable if the folder, a file or onnxruntime is missing, if a file is damaged or of another form.
    """

    folder: Path

    def read(self, question: str, windows: Sequence[tuple[str, str]]) -> list[ReadWindow]:
        """Return the logits of each window, given as its context line and its text.

        The model reads a context line, but no span lies in it. Windows are read one by one: a batch is padded to the longest,
        and four at once take a third longer.
        """
        if not windows:
            return []
        session, tokenizer, separator = self._loaded
        asked = _without(separator, question[:_MOST_QUESTION_CHARACTERS])
        kept = tokenizer.encode(asked, add_special_tokens=False).offsets[:_MOST_QUESTION_TOKENS]
        asked = asked[: kept[-1][1]] if kept else ""
        texts = [
            f"{_without(separator, context)}{separator}{_without(separator, text)}" if context else _without(separator, text)
            for context, text in windows
        ]
        names = {node.name for node in session.get_inputs()}
        found = []
        for text, (_, window) in zip(texts, windows, strict=True):
            encoding = tokenizer.encode(asked, text)
            inputs = {
                "input_ids": encoding.ids,
                "attention_mask": encoding.attention_mask,
                "token_type_ids": encoding.type_ids,
            }
            given = {name: np.array([values], np.int64) for name, values in inputs.items() if name in names}
            start, end = _logits(self.folder, session, given)
            found.append(_of_text(encoding, start, end, text, len(text) - len(window)))
        return found

    @property
    def _loaded(self) -> tuple["onnxruntime.InferenceSession", "Tokenizer", str]:
        """The session, the tokenizer and the separator, loaded by the first reading."""
        with _loading:
            return _load(self.folder)


_loading = Lock()


@cache
def reader_at(folder: Path) -> Reader:
    """Return the reader of a folder, the same one each time."""
    return Reader(folder)


def _without(separator: str, text: str) -> str:
    """Return a text with other signs for the separator, which no text may imitate."""
    return text if separator.isspace() else text.replace(separator, "·" * len(separator))


@cache
def _load(folder: Path) -> tuple["onnxruntime.InferenceSession", "Tokenizer", str]:
    """Load a reader's files. Raises ReaderUnavailable."""
    try:
        import onnxruntime
        from tokenizers import Tokenizer
    except ImportError as error:
        raise ReaderUnavailable("reader.no-runtime", package=str(error.name)) from error
    model, vocabulary = folder / "model.onnx", folder / "tokenizer.json"
    for path in (model, vocabulary):
        if not path.is_file():
            raise ReaderUnavailable("reader.missing", path=str(path))
    try:
        separator = _checked_separator(folder)
        tokenizer = Tokenizer.from_file(str(vocabulary))
        tokenizer.enable_truncation(_MOST_TOKENS, strategy="longest_first")
        tokenizer.no_padding()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = min(
            _THREADS, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else _THREADS
        )
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # which took as much time as the reading
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    except ReaderUnavailable:
        raise
    except Exception as error:  # both libraries raise plain exceptions of their own for a file of another form
        raise ReaderUnavailable("reader.damaged", path=str(folder), detail=str(error).splitlines()[0][:200]) from error
    outputs, inputs = ({node.name for node in nodes} for nodes in (session.get_outputs(), session.get_inputs()))
    if not {"start_logits", "end_logits"} <= outputs:
        raise ReaderUnavailable("reader.no-reader", path=str(model))
    if not inputs <= _INPUTS:
        raise ReaderUnavailable("reader.other-inputs", path=str(model), inputs=", ".join(sorted(inputs - _INPUTS)))
    _give_back_memory()
    return session, tokenizer, separator


def _logits(
    folder: Path, session: "onnxruntime.InferenceSession", given: dict[str, NDArray[np.int64]]
) -> tuple[_Floats, _Floats]:
    """Return the logits of a window's tokens as beginning and end.

    Raises ReaderUnavailable if the model fails.
    """
    try:
        start, end = (logits[0] for logits in session.run(["start_logits", "end_logits"], given))
    except Exception as error:  # onnxruntime raises plain exceptions of its own for a model of another form
        raise ReaderUnavailable("reader.damaged", path=str(folder), detail=str(error).splitlines()[0][:200]) from error
    if np.isnan(start).any() or np.isnan(end).any():
        raise ReaderUnavailable("reader.damaged", path=str(folder), detail="NaN")
    return start, end


def _give_back_memory() -> None:
    """Give the memory that loading has freed back to the system.

    The C library must be able to: glibc gives back some 35 MB.
    """
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim:
            trim(0)


def _checked_separator(folder: Path) -> str:
    """Return the separator that reader.json names.

    Raises ReaderUnavailable if a file does not have the SHA-256 that it gives.
    """
    path = folder / "reader.json"
    about: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    for name, expected in about.get("sha256", {}).items():
        with (folder / name).open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != expected:
                raise ReaderUnavailable("reader.damaged", path=str(folder / name), detail="SHA-256")
    return str(about.get("separator", "\n"))


def _of_text(encoding: Any, start: _Floats, end: _Floats, text: str, offset: int) -> ReadWindow:
    """Return the logits and spans of the tokens behind `offset` of a text.

    A tokenizer may count the blank before a word to its token; the span begins behind it.
    """
    places, spans = [], []
    for place, (part, (first, last)) in enumerate(zip(encoding.sequence_ids, encoding.offsets, strict=True)):
        if part != 1 or last <= offset:
            continue
        first = max(first, offset)
        while first < last and text[first].isspace():
            first += 1
        if first < last:
            places.append(place)
            spans.append((first - offset, last - offset))
    return ReadWindow(start[places], end[places], spans, float(start[0]), float(end[0]))
