"""Read the pickles in an index without running code.

Whoosh stores the table of contents, the directory of a segment's files, the ends of some of them, stored fields and postings
as Python pickles. A pickle can name any function and call it. Here it may make plain values only, and, in a table of contents,
objects of Whoosh's two classes. Hence an index of a stranger is as safe as any other data file: it can be damaged, no more.
"""

import pickle
from collections import defaultdict
from collections.abc import Callable, Mapping
from io import BytesIO
from types import SimpleNamespace
from typing import IO, Any

__all__ = ["guard", "load", "load_plain", "loads_plain"]

_VALUES: dict[tuple[str, str], Any] = {
    ("collections", "defaultdict"): defaultdict,
    ("builtins", "int"): int,
    ("builtins", "set"): set,
}
"""Containers, and what a `defaultdict` of Whoosh makes."""

_SEGMENT = ("whoosh.codec.whoosh3", "W3Segment")
_CODEC = ("whoosh.codec.whoosh3", "W3Codec")


class _Unpickler(pickle.Unpickler):
    """Finds only the classes it was given."""

    def __init__(self, file: IO[bytes], classes: Mapping[tuple[str, str], Any]) -> None:
        super().__init__(file)
        self._classes = classes

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._classes[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"the index holds a {module}.{name}") from None

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError(f"the index refers to {pid!r}")


class _StandIn:
    """Takes the place of an object of Whoosh, and holds its attributes."""


def load(file: IO[bytes], segment: type = _StandIn, codec: type = _StandIn) -> Any:
    """Return the next value in a file, Whoosh's segments and codec among them.

    They are of the classes given, or hold their attributes only. May raise any exception for damaged bytes.
    """
    return _Unpickler(file, {**_VALUES, _SEGMENT: segment, _CODEC: codec}).load()


def load_plain(file: IO[bytes]) -> Any:
    """Return the next value in a file, made of built-in kinds.

    May raise any exception for damaged bytes.
    """
    return _Unpickler(file, {}).load()


def loads_plain(data: bytes) -> Any:
    """Return a value made of built-in kinds. May raise any exception."""
    return load_plain(BytesIO(data))


def guard(structfile: Any, columns: Any, codec: Any, index: Any, segment_class: type, codec_class: type) -> None:
    """Let Whoosh's modules read pickles in this way only.

    They are `whoosh.filedb.structfile`, `whoosh.columns`, `whoosh.codec.whoosh3` and `whoosh.index`. Their own functions would
    read whatever the index contains.
    """

    def of_file(file: IO[bytes]) -> Any:
        return load(file, segment_class, codec_class)

    def of_bytes(data: bytes) -> Any:
        return of_file(BytesIO(data))

    names: list[tuple[Any, str, Callable[..., Any]]] = [
        (structfile, "load_pickle", of_file),
        (columns, "loads", of_bytes),
        (codec, "loads", of_bytes),
    ]
    for module, name, function in names:
        if not hasattr(module, name):
            raise AttributeError(f"{module.__name__} has no {name}: another release of Whoosh")
        setattr(module, name, function)
    index.pickle = SimpleNamespace(
        loads=of_bytes, dumps=pickle.dumps, PicklingError=pickle.PicklingError, UnpicklingError=pickle.UnpicklingError
    )
