"""The words of a file's name, by which its article is found: bao-cao-thang-6.docx.

Names are written without diacritics, with signs or nothing between the words. Their terms are folded, begin with "@" so that
they are no words of a text, and are pairs of neighbours, the ending among them: a single syllable of a name says nothing. A
name of one word is a term by itself, too.

Short, for a name has little to read.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import PurePosixPath

from htxsearch.text.normalize import folded_form, nfc
from htxsearch.text.tokens import terms

__all__ = ["file_name_terms", "pair_terms", "single_term"]

_LONGEST = 24
"""Words of a name that are looked at; a longer one is a hash or a whole title."""

_ENDING = re.compile(r"\.[A-Za-z0-9]{1,8}$")


def file_name_terms(article_id: str, path: str) -> tuple[str, ...]:
    """Return the terms of the name of an article's file, each once, sorted.

    An article in an archive or workbook has the names of both. One of many lines or rows of a file has none: the name says
    nothing of it.
    """
    if article_id != path and not article_id.startswith(f"{path}/"):
        return ()
    names = {PurePosixPath(name).name for name in (path, article_id)}
    found: set[str] = set()
    for name in map(nfc, names):
        found.update(pair_terms(terms(name)[:_LONGEST]))
        stem = terms(_ENDING.sub("", name))
        found.update(map(single_term, stem) if len(stem) == 1 else ())
    return tuple(sorted(found))


def pair_terms(words: Sequence[str]) -> list[str]:
    """Return the terms of the neighbours in a row of terms, in order."""
    return [f"@{folded_form(first)}_{folded_form(second)}" for first, second in pairwise(words)]


def single_term(word: str) -> str:
    """Return the term of a name that is one word."""
    return f"@{folded_form(word)}"
