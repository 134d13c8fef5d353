"""Parameters of an address: one definition to read, check and describe them."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from htxsearch.errors import UsageError

__all__ = ["Parameter", "read_filled_parameters", "read_parameters", "shortened"]

_MAX_REPEATED = 20
_MAX_QUOTED = 60
"""Characters of a request that an error message quotes."""
_INTEGER = re.compile(r"-?[0-9]{1,9}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter: text, an integer of `minimum` to `maximum`, or a flag.

    A text has at most `max_length` characters, any number if it is None. A `repeated` parameter may occur several times
    and becomes a tuple; any other becomes `default` where it is absent.
    """

    name: str
    about: str
    kind: Literal["text", "integer", "flag"] = "text"
    required: bool = False
    repeated: bool = False
    choices: tuple[str, ...] = ()
    max_length: int | None = 200
    minimum: int = 0
    maximum: int = 0
    default: str | int | bool | None = None

    def value(self, text: str) -> str | int | bool:
        """Return the value of a text. Raises UsageError."""
        if self.kind == "flag":
            if text not in ("true", "false"):
                raise UsageError("serve.not-a-flag", name=self.name, value=shortened(text))
            return text == "true"
        if self.kind == "integer":
            number = int(text) if _INTEGER.fullmatch(text) else None
            if number is None or not self.minimum <= number <= self.maximum:
                limits = {"minimum": self.minimum, "maximum": self.maximum}
                raise UsageError("serve.not-an-integer", name=self.name, **limits, value=shortened(text))
            return number
        if self.choices and text not in self.choices:
            raise UsageError("serve.not-a-choice", name=self.name, choices=self.choices, value=shortened(text))
        if self.max_length is not None and len(text) > self.max_length:
            raise UsageError("serve.value-too-long", name=self.name, length=len(text), maximum=self.max_length)
        return text

    def schema(self) -> dict[str, Any]:
        """Return the parameter's JSON Schema."""
        schema: dict[str, Any] = {"type": {"text": "string", "integer": "integer", "flag": "boolean"}[self.kind]}
        if self.choices:
            schema["enum"] = list(self.choices)
        elif self.kind == "text" and self.max_length is not None:
            schema["maxLength"] = self.max_length
        elif self.kind == "integer":
            schema |= {"minimum": self.minimum, "maximum": self.maximum}
        if self.repeated:
            return {"type": "array", "items": schema, "maxItems": _MAX_REPEATED}
        return schema if self.default is None else schema | {"default": self.default}

    def described(self, where: Literal["path", "query"]) -> dict[str, Any]:
        """Return the parameter as OpenAPI describes it."""
        schema = self.schema() | ({"minLength": 1} if where == "path" else {})
        return {"name": self.name, "in": where, "required": self.required, "description": self.about, "schema": schema}


def read_parameters(parameters: Sequence[Parameter], pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return the value of every parameter by its name.

    Raises UsageError for an unknown, invalid, missing or repeated one.
    """
    by_name = {parameter.name: parameter for parameter in parameters}
    given: dict[str, list[Any]] = {}
    for name, text in pairs:
        if name not in by_name:
            known = tuple(by_name)
            code = "serve.unknown-parameter" if known else "serve.no-parameters"
            raise UsageError(code, name=shortened(name), known=known)
        given.setdefault(name, []).append(by_name[name].value(text))
    return {name: _value_of(parameter, given.get(name, [])) for name, parameter in by_name.items()}


def read_filled_parameters(parameters: Sequence[Parameter], pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Return a page's parameters.

    Empty fields of a form count as absent, and unknown parameters are ignored.
    """
    names = {parameter.name for parameter in parameters}
    return read_parameters(parameters, [(name, text) for name, text in pairs if name in names and text.strip()])


def _value_of(parameter: Parameter, values: Sequence[Any]) -> Any:
    """Return the value of a parameter that occurs with these. Raises UsageError."""
    if parameter.required and not values:
        raise UsageError("serve.missing", name=parameter.name, about=parameter.about)
    if len(values) > _MAX_REPEATED:
        raise UsageError("serve.too-often", name=parameter.name, times=len(values), maximum=_MAX_REPEATED)
    if len(values) > 1 and not parameter.repeated:
        raise UsageError("serve.repeated", name=parameter.name, times=len(values))
    if parameter.repeated:
        return tuple(values)
    return values[0] if values else parameter.default


def shortened(text: str) -> str:
    """Return a text of a request as an error message may quote it."""
    return text if len(text) <= _MAX_QUOTED else text[:_MAX_QUOTED] + "…"
