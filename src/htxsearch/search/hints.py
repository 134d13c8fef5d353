"""What to try when a question finds nothing, or not all of what was typed."""

import difflib
import heapq
from collections.abc import Mapping, Sequence

from htxsearch.query.expand import ExpandedQuery
from htxsearch.query.parse import Value
from htxsearch.text.normalize import key, nfc
from htxsearch.text.places import canonical_place, province_now, similar_province

__all__ = ["hints", "unknown_article"]

_GRAMS, _LIKELY = 60, 200
"""Ids near an unknown one are sought among the 200 with most of its first 60 trigrams: all 20,000 take .6 s, these .04."""


def hints(query: ExpandedQuery, filtered: bool, *, nothing: bool) -> tuple[str, ...]:
    """Say what was typed that no article has, and, if nothing was found, what to try."""
    found = []
    if query.unknown:
        found.append(f"no article has: {', '.join(dict.fromkeys(query.unknown))}; check the spelling, or type it without marks")
    found += [_unknown_value(value) for value in query.unknown_values]
    found += dict.fromkeys(query.notes)
    if not nothing:
        return tuple(found)
    if filtered:
        found.append("leave out --place, --source, --since or --until")
    if any(clause.occur != "should" for clause in query.tree.clauses):
        found.append("leave out + and - : natural text finds whatever fits best")
    return tuple(found) or ("try other words, or fewer",)


def unknown_article(article_id: str, known: Sequence[str]) -> str:
    """Say that no article has an id, and which of the known ones are near it."""
    wanted = key(nfc(article_id))
    by_key: Mapping[str, str] = {key(one): one for one in known}
    parts = {wanted[at : at + 3] for at in range(min(len(wanted), _GRAMS))}
    likely = heapq.nlargest(_LIKELY, by_key, key=lambda one: sum(part in one for part in parts))
    near = difflib.get_close_matches(wanted, likely, n=3, cutoff=0.5)
    hint = "did you mean " + " or ".join(by_key[one] for one in near) if near else "htxsearch query finds articles"
    return f"there is no article {article_id!r} in the index; {hint}"


def _unknown_value(value: Value) -> str:
    known = province_now(canonical_place(value.value)) if value.field == "place" else None
    near = similar_province(value.value) if value.field == "place" and not known else None
    hint = f"did you mean {near}?" if near else "htxsearch info lists those there are"
    return f"no article has the {value.field} {value.value!r}; {hint}"
