"""Hints for a query that finds nothing or has unknown words, and the error for an unknown article."""

import difflib
import heapq
from collections.abc import Mapping, Sequence

from htxsearch.errors import UnknownArticle
from htxsearch.errors.messages import Message, message
from htxsearch.query.expand import ExpandedQuery
from htxsearch.query.parse import Value
from htxsearch.text.normalize import folded_form, nfc
from htxsearch.text.places import canonical_place, province_now, similar_province

__all__ = ["hints", "unknown_article"]

_GRAMS, _LIKELY = 60, 200
"""Ids near an unknown one are sought among the 200 with most of its first 60 trigrams: all 20,000 take .6 s, these .04."""


def hints(query: ExpandedQuery, filtered: bool, *, nothing: bool) -> tuple[Message, ...]:
    """Return the parts of a query that no article has and, if nothing was found, other ways to search."""
    found: list[Message] = []
    if query.unknown:
        found.append(message("hint.unknown-terms", terms=tuple(dict.fromkeys(query.unknown))))
    found += [_unknown_value(value) for value in query.unknown_values]
    found += dict.fromkeys(query.notes)
    if not nothing:
        return tuple(found)
    if filtered:
        found.append(message("hint.fewer-filters"))
    if any(clause.occur != "should" for clause in query.tree.clauses):
        found.append(message("hint.plain-words"))
    return tuple(found) or (message("hint.other-words"),)


def unknown_article(article_id: str, known: Sequence[str]) -> UnknownArticle:
    """Return the error for an id that no article has, with up to three of the known ids near it."""
    wanted = folded_form(nfc(article_id))
    by_key: Mapping[str, str] = {folded_form(one): one for one in known}
    parts = {wanted[at : at + 3] for at in range(min(len(wanted), _GRAMS))}
    likely = heapq.nlargest(_LIKELY, by_key, key=lambda one: sum(part in one for part in parts))
    near = difflib.get_close_matches(wanted, likely, n=3, cutoff=0.5)
    if near:
        return UnknownArticle("article.unknown-near", article=article_id, near=[by_key[one] for one in near])
    return UnknownArticle("article.unknown", article=article_id)


def _unknown_value(value: Value) -> Message:
    if value.field == "source":
        return message("hint.unknown-source", source=value.value)
    known = province_now(canonical_place(value.value))
    near = None if known else similar_province(value.value)
    if near:
        return message("hint.unknown-place-near", place=value.value, near=near)
    return message("hint.unknown-place", place=value.value)
