"""Frozen classes of values: dataclasses that cost less when a program starts.

`dataclass(frozen=True, slots=True)` writes eight methods of every class as text and compiles them. A one-shot query imports
sixty such classes, and that was an eighth of its time. Here all classes share their methods, and `__init__`, which has to be
quick, is compiled when the first instance is made. `fields`, `replace`, `asdict`, `match`, pickles and type checkers see a
dataclass.
"""

from collections.abc import Callable
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from functools import partial
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, NoReturn, dataclass_transform

if TYPE_CHECKING:
    from inspect import Signature

__all__ = ["frozen"]


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
def frozen(cls: Any = None, /, *, kw_only: bool = False) -> Any:
    """Make a class a frozen dataclass with slots, or return a decorator that does so.

    It is what `dataclass(frozen=True, slots=True, kw_only=kw_only)` makes of it. Methods that the class has itself are kept. A
    class that inherits from it must be no such class itself.
    """
    return partial(_made, kw_only=kw_only) if cls is None else _made(cls, kw_only=kw_only)


def _made(cls: type[Any], *, kw_only: bool) -> type[Any]:
    made = dataclass(init=False, repr=False, eq=False, slots=True, kw_only=kw_only)(cls)
    compared = [one.name for one in fields(made) if one.compare] or ["__class__"]
    made.__compared__ = attrgetter(*compared, *(compared if len(compared) == 1 else ()))  # of one name it would be no tuple
    for name, shared in _SHARED.items():
        if name not in cls.__dict__:
            setattr(made, name, shared)
    return made


def _init(self: Any, *given: Any, **named: Any) -> None:
    """Compile the method that stands here from the first instance on, and call it."""
    cls = next(one for one in type(self).__mro__ if one.__dict__.get("__init__") is _init)
    compiled = _compiled_init(cls)
    setattr(cls, "__init__", compiled)  # noqa: B010  (mypy takes an assignment for a mistake)
    compiled(self, *given, **named)


def _compiled_init(cls: type[Any]) -> Callable[..., None]:
    """Return the `__init__` of a class.

    It sets the slots themselves, since `__setattr__` refuses.
    """
    known: dict[str, Any] = {"MISSING": MISSING}
    body: list[str] = []
    for one in fields(cls):
        known |= {f"set_{one.name}": getattr(cls, one.name).__set__, f"default_{one.name}": one.default}
        if one.default_factory is not MISSING:
            known[f"make_{one.name}"] = one.default_factory
        given = _given(one)
        body += [f"set_{one.name}(self, {given})"] if given else []
    if hasattr(cls, "__post_init__"):
        body.append("self.__post_init__()")
    ordered = [*(one for one in fields(cls) if not one.kw_only), None, *(one for one in fields(cls) if one.kw_only)]
    parameters = ["*" if one is None else _parameter(one) for one in ordered if one is None or one.init]
    head = ", ".join(["self", *(parameters if parameters[-1] != "*" else parameters[:-1])])
    exec(f"def __init__({head}):\n " + "\n ".join(body or ["pass"]), known)
    init: Callable[..., None] = known["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    init.__annotations__ = {one.name: one.type for one in fields(cls) if one.init} | {"return": None}
    return init


def _given(one: "Field[Any]") -> str | None:
    """Return what a field is set to, as code; None if it is left to `__post_init__`."""
    if one.default_factory is not MISSING:
        return f"make_{one.name}() if {one.name} is MISSING else {one.name}" if one.init else f"make_{one.name}()"
    if one.init:
        return one.name
    return None if one.default is MISSING else f"default_{one.name}"


def _parameter(one: "Field[Any]") -> str:
    if one.default_factory is not MISSING:
        return f"{one.name}=MISSING"
    return one.name if one.default is MISSING else f"{one.name}=default_{one.name}"


class _Signature:
    """The parameters of a class, for `inspect.signature` and `help`."""

    def __get__(self, _: object, cls: type[Any]) -> "Signature":
        from inspect import signature

        found = signature(_compiled_init(cls))
        return found.replace(parameters=list(found.parameters.values())[1:])


def _eq(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    compared = self.__compared__
    return compared(self) == compared(other)


def _hash(self: Any) -> int:
    return hash(self.__compared__(self))


@recursive_repr()
def _repr(self: Any) -> str:
    shown = ", ".join(f"{one.name}={getattr(self, one.name)!r}" for one in fields(self) if one.repr)
    return f"{type(self).__qualname__}({shown})"


def _refuse_to_set(_: object, name: str, __: object) -> NoReturn:
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(_: object, name: str) -> NoReturn:
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, one.name) for one in fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for one, stored in zip(fields(self), state, strict=True):
        object.__setattr__(self, one.name, stored)


_SHARED = {
    "__init__": _init,
    "__eq__": _eq,
    "__hash__": _hash,
    "__repr__": _repr,
    "__setattr__": _refuse_to_set,
    "__delattr__": _refuse_to_delete,
    "__getstate__": _state,
    "__setstate__": _set_state,
    "__signature__": _Signature(),
}
