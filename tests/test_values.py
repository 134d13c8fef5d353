"""Frozen classes are what the standard library's dataclasses are, method by method."""

import inspect
import math
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import KW_ONLY, FrozenInstanceError, asdict, dataclass, field, fields, is_dataclass, replace
from typing import Any

import pytest

from htxsearch.search.results import Passage
from htxsearch.values import frozen


class _Plain:
    """Options of several kinds."""

    first: int
    second: str = "two"
    _: KW_ONLY
    third: list[int] = field(default_factory=list)
    hidden: float = field(default=0.5, compare=False, repr=False)
    derived: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "derived", self.first + 1)


def _copy(cls: type[Any]) -> type[Any]:
    return type(cls.__name__, (), {name: one for name, one in vars(cls).items() if name not in ("__dict__", "__weakref__")})


OURS: Any = frozen(_copy(_Plain))
THEIRS: Any = dataclass(frozen=True, slots=True)(_copy(_Plain))


@frozen
class Pair:
    """Two values."""

    left: int
    right: "Pair | None" = None


@frozen
class Single:
    """One value."""

    only: object


@frozen
class Other:
    """One value, of another class."""

    only: object


@frozen(kw_only=True)
class Named:
    """Values given by name alone."""

    name: str
    size: int = 0

    def __repr__(self) -> str:
        return f"<{self.name}>"


@frozen
class Nothing:
    """No value at all."""


CALLS: list[Callable[[Any], Any]] = [
    lambda cls: cls(1),
    lambda cls: cls(1, "x"),
    lambda cls: cls(first=2, third=[3], hidden=1.0),
    lambda cls: replace(cls(1, third=[1]), second="y"),
]


@pytest.mark.parametrize("call", CALLS)
def test_an_instance_is_as_that_of_a_dataclass(call: Callable[[Any], Any]) -> None:
    ours, theirs = call(OURS), call(THEIRS)
    assert asdict(ours) == asdict(theirs)
    assert repr(ours) == repr(theirs)
    assert ours == call(OURS) != theirs
    assert ours.__match_args__ == theirs.__match_args__
    assert type(ours).__slots__ == type(theirs).__slots__
    assert not hasattr(ours, "__dict__")


@pytest.mark.parametrize(
    "call",
    [
        lambda cls: cls(),
        lambda cls: cls(1, "x", []),
        lambda cls: cls(1, derived=2),
        lambda cls: cls(1, unknown=2),
        lambda cls: cls(1, first=1),
        lambda cls: replace(cls(1), derived=3),
    ],
)
def test_wrong_arguments_raise_what_they_raise_of_a_dataclass(call: Callable[[Any], Any]) -> None:
    with pytest.raises((TypeError, ValueError)) as theirs:
        call(THEIRS)
    with pytest.raises(theirs.type) as ours:
        call(OURS)
    assert str(ours.value) == str(theirs.value)


def test_every_instance_has_a_list_of_its_own() -> None:
    assert OURS(1).third is not OURS(1).third


def test_fields_and_signature_are_those_of_a_dataclass() -> None:
    assert is_dataclass(OURS)
    assert list(map(str, fields(OURS))) == list(map(str, fields(THEIRS)))
    unused = frozen(_copy(_Plain))
    ours, theirs = inspect.signature(unused), inspect.signature(THEIRS)
    shown = [[(one.name, one.kind, one.annotation) for one in signature.parameters.values()] for signature in (ours, theirs)]
    assert shown[0] == shown[1]
    assert str(inspect.signature(Named)) == "(*, name: str, size: int = 0) -> None"


def test_instances_cannot_be_changed() -> None:
    pair = Pair(1)
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'left'"):
        pair.left = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'left'"):
        del pair.left
    with pytest.raises(FrozenInstanceError):
        pair.other = 2  # type: ignore[attr-defined]
    assert pair == Pair(1)


def test_equal_values_have_one_hash() -> None:
    assert hash(Pair(1, Pair(2))) == hash(Pair(1, Pair(2)))
    assert hash(Single("x")) == hash(Single("x"))
    assert len({Pair(1), Pair(1), Pair(2)}) == 2
    assert Single(math.nan) == Single(math.nan)
    one: object = Single(1)
    assert one != Other(1)
    assert OURS(1, hidden=1.0) == OURS(1, hidden=2.0)
    with pytest.raises(TypeError, match="unhashable"):
        hash(OURS(1))


def test_a_class_without_fields_has_one_value() -> None:
    assert Nothing() == Nothing()
    assert len({Nothing(), Nothing()}) == 1
    assert repr(Nothing()) == "Nothing()"


def test_methods_of_the_class_itself_are_kept() -> None:
    assert repr(Named(name="a")) == "<a>"
    assert Named(name="a", size=1) != Named(name="a")


def test_a_value_within_itself_is_shown_once() -> None:
    held: list[Single] = []
    single = Single(held)
    held.append(single)
    assert repr(single) == "Single(only=[...])"


def test_patterns_take_the_fields_in_order() -> None:
    match Pair(1, Pair(2)):
        case Pair(left, Pair(inner)):
            assert (left, inner) == (1, 2)
        case _:
            pytest.fail("no match")


@pytest.mark.parametrize("one", [Pair(1, Pair(2)), Named(name="a", size=3), Single([1]), Nothing()])
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_gives_an_equal_value(one: object, protocol: int) -> None:
    assert pickle.loads(pickle.dumps(one, protocol)) == one


def test_a_pickle_is_read_before_any_instance_was_made() -> None:
    """An instance from another process is often the first one here."""
    code = f"import pickle; print(repr(pickle.loads({pickle.dumps(Passage(1, 4, 'chè'))!r})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == "Passage(start=1, end=4, text='chè')"


def test_a_subclass_that_is_no_value_itself_sets_the_fields() -> None:
    class Twins(Pair):
        """A pair of another kind."""

    assert Twins(1).left == 1
    assert Twins(1) != Pair(1)
