"""Hints for queries without results or with unknown words.

The error for an unknown article is here, too.
"""

from collections.abc import Sequence

from htxsearch.errors import UnknownArticle
from htxsearch.errors.messages import Message, message
from htxsearch.query.expand import ExpandedQuery
from htxsearch.query.parse import Value
from htxsearch.text.normalize import folded_form, nfc
from htxsearch.text.places import canonical_place, province_now, similar_province

__all__ = ["hints", "unknown_article"]

_MOST_NEAR = 3
_LIKENESS = 50
"""Least similarity, in percent, of an id that is named as near an unknown one."""


def hints(query: ExpandedQuery, filtered: bool, *, nothing: bool) -> tuple[Message, ...]:
    """Return the parts of a query that no article has, and other ways to search.

    Other ways to search are given if nothing was found.
    """
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
    """Return the error for an id that no article has.

    It names up to three of the known ids near it.
    """
    from rapidfuzz import fuzz, process  # 20 ms, for an unknown id alone

    folded = [folded_form(one) for one in known]
    near = process.extract(folded_form(nfc(article_id)), folded, scorer=fuzz.ratio, score_cutoff=_LIKENESS, limit=_MOST_NEAR)
    if near:
        return UnknownArticle("article.unknown-near", article=article_id, near=[known[number] for _, _, number in near])
    return UnknownArticle("article.unknown", article=article_id)


def _unknown_value(value: Value) -> Message:
    if value.field == "source":
        return message("hint.unknown-source", source=value.value)
    known = province_now(canonical_place(value.value))
    near = None if known else similar_province(value.value)
    if near:
        return message("hint.unknown-place-near", place=value.value, near=near)
    return message("hint.unknown-place", place=value.value)
