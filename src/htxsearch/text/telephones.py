"""Telephone numbers of Vietnam, in any grouping of their digits.

0912 345 678, 0912.345.678, 0912345678 and +84 912 345 678 are one number. A mobile number has ten digits with its nought, a
number of a landline eleven. A text is indexed as it is written; a query stands for every grouping that the index may have.

Short, for a number has few forms.
"""

from collections.abc import Callable, Iterator

from htxsearch.text.patterns import late_pattern

__all__ = ["groupings", "telephone_end", "typed_telephone"]

_DIGIT = r"(?:[ .\u00a0-]?\d)"
_NUMBER = late_pattern(
    r"(?<![\w.,])(?!\d\d[.-]\d\d[.-](?:19|20)\d\d)"  # no day
    rf"(?:(?:(?:\(\+84\)|\+84)[ .\u00a0-]?(?:\(0\))?|0)(?:[35789]{_DIGIT}{{8}}|[12]\d{_DIGIT}{{8}})"
    rf"|\(0[12]\d\){_DIGIT}{{8}}|\(0[12]\d\d\){_DIGIT}{{7}})(?!\d|[.,]\d)"
)
_FIRST, _OTHERS = range(3, 6), range(2, 9)
"""How many digits the first and the other groups of a number may have."""


def telephone_end(text: str, at: int) -> int | None:
    """Return the end of the telephone number at an offset, None without one."""
    match = _NUMBER().match(text, at)
    return match.end() if match else None


def typed_telephone(query: str, at: int) -> tuple[str, int] | None:
    """Return the digits of the telephone number typed at an offset, and its end.

    The digits are those of the national form: +84 912 345 678 is 0912345678. The result is None without a number.
    """
    match = _NUMBER().match(query, at)
    if match is None:
        return None
    digits = "".join(char for char in match[0] if char.isdigit())
    return ("0" + digits[2:].removeprefix("0") if "+" in match[0] else digits), match.end()


def groupings(digits: str, is_known: Callable[[str], bool]) -> list[tuple[str, ...]]:
    """Return the ways to write the digits of a number in groups.

    They begin with a nought or with 84. Only groups that are known are in them.
    """
    abroad = digits[1:]
    found: list[tuple[str, ...]] = [(whole,) for whole in (digits, f"84{abroad}") if is_known(whole)]
    for first in _FIRST:
        if is_known(digits[:first]):
            found += [(digits[:first], *rest) for rest in _divided(digits[first:], is_known)]
    if is_known("84"):
        found += [("84", *rest) for rest in _divided(abroad, is_known)]
    return found


def _divided(digits: str, is_known: Callable[[str], bool]) -> Iterator[tuple[str, ...]]:
    """Yield the divisions of digits into known groups."""
    for size in _OTHERS:
        if size <= len(digits) and is_known(digits[:size]):
            if size == len(digits):
                yield (digits,)
            else:
                yield from ((digits[:size], *rest) for rest in _divided(digits[size:], is_known))
    if len(digits) > _OTHERS[-1] and is_known(digits):
        yield (digits,)
