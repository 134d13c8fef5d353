"""Regular expressions that are compiled when they are first used.

A pattern takes a third of a millisecond or more to compile, and a program imports many that it does not use: those of official
documents, of telephone numbers, of slips of typing. What every query uses is compiled by `re.compile`, as usual.

Short, for nothing else has to do with it.
"""

import re
from collections.abc import Callable
from functools import cache, partial

__all__ = ["late_pattern"]


def late_pattern(written: str, flags: "re.RegexFlag | int" = 0) -> Callable[[], re.Pattern[str]]:
    """Return a function that returns the pattern, compiled at the first call.

    A mistake in the pattern raises re.error there.
    """
    return cache(partial(re.compile, written, flags))
