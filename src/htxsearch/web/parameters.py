"""What may stand behind the question mark of an address: read, refused with a reason, and described for OpenAPI."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from htxsearch.errors import UsageError

__all__ = ["Parameter", "read"]

_MOST_REPEATED = 20
_INTEGER = re.compile(r"-?[0-9]{1,9}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter: its name, what it is for, and what it may be.

    A text has `longest` characters at most, an integer lies between `least` and `most`, a flag is true or false.
    `repeated` ones may stand there several times and become a tuple; others that are not there become `default`.
    """

    name: str
    about: str
    kind: Literal["text", "integer", "flag"] = "text"
    required: bool = False
    repeated: bool = False
    choices: tuple[str, ...] = ()
    longest: int = 200
    least: int = 0
    most: int = 0
    default: str | int | bool | None = None

    def value(self, text: str) -> str | int | bool:
        """Return what a text means. Raises UsageError."""
        if self.kind == "flag":
            if text not in ("true", "false"):
                raise UsageError(f"{self.name} must be true or false, not {_short(text)}")
            return text == "true"
        if self.kind == "integer":
            number = int(text) if _INTEGER.fullmatch(text) else None
            if number is None or not self.least <= number <= self.most:
                raise UsageError(f"{self.name} must be a number between {self.least} and {self.most}, not {_short(text)}")
            return number
        if self.choices and text not in self.choices:
            raise UsageError(f"{self.name} must be one of {', '.join(self.choices)}, not {_short(text)}")
        if len(text) > self.longest:
            raise UsageError(f"{self.name} has {len(text)} characters; {self.longest} are the most")
        return text

    def schema(self) -> dict[str, Any]:
        """Return the parameter's JSON Schema."""
        one: dict[str, Any] = {"type": {"text": "string", "integer": "integer", "flag": "boolean"}[self.kind]}
        if self.choices:
            one["enum"] = list(self.choices)
        elif self.kind == "text":
            one["maxLength"] = self.longest
        elif self.kind == "integer":
            one |= {"minimum": self.least, "maximum": self.most}
        if self.repeated:
            return {"type": "array", "items": one, "maxItems": _MOST_REPEATED}
        return one if self.default is None else one | {"default": self.default}


def read(parameters: Sequence[Parameter], given: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the value of every parameter. Raises UsageError for one that is unknown, wrong, missing or there twice."""
    known = {one.name: one for one in parameters}
    values: dict[str, list[Any]] = {}
    for name, text in given:
        if name not in known:
            raise UsageError(f"there is no parameter {_short(name)}; there are {', '.join(known) or 'none'}")
        values.setdefault(name, []).append(known[name].value(text))
    found: dict[str, Any] = {}
    for name, one in known.items():
        here = values.get(name, [])
        if one.required and not here:
            raise UsageError(f"{name} is missing: {one.about}")
        if len(here) > _MOST_REPEATED:
            raise UsageError(f"{name} is given {len(here)} times; {_MOST_REPEATED} are the most")
        if len(here) > 1 and not one.repeated:
            raise UsageError(f"{name} is given {len(here)} times; give it once")
        found[name] = tuple(here) if one.repeated else here[0] if here else one.default
    return found


def _short(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:60] + "…")
