"""Rewrite queries as people type them.

Without diacritics, decomposed, in Telex, abbreviated, as keywords.
A judged set asked in another form measures how much of the ranking survives careless typing. Most forms are made by rule
(`FORMS`); two are written by hand for each query and come with the set (`OWN_FORMS`).
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from htxsearch.errors import UsageError
from htxsearch.query.telex import to_telex
from htxsearch.text.abbreviations import COMMON
from htxsearch.text.normalize import canonical_spelling, nfc, strip_diacritics

__all__ = ["FORMS", "OWN_FORMS", "own_forms_of", "query_form"]


def _old_tone_placement(text: str) -> str:
    """Move the tone of open oa, oe and uy to the second vowel.

    hòa → hoà, thủy → thuỷ; quý keeps it.
    """

    def moved(match: re.Match[str]) -> str:
        written = canonical_spelling(match.group())
        letters = re.fullmatch(
            r"(.*[^q]|)([oOuU])([\u0300\u0301\u0303\u0309\u0323])([aeyAEY])", unicodedata.normalize("NFD", written)
        )
        if letters is None or letters[2].lower() + letters[4].lower() not in ("oa", "oe", "uy"):
            return match.group()
        return unicodedata.normalize("NFC", letters[1] + letters[2] + letters[4] + letters[3])

    return re.sub(r"[^\W\d_]+", moved, nfc(text))


def _abbreviated(text: str) -> str:
    """Write every known long form as its abbreviation: hợp tác xã → HTX.

    The longest goes first.
    """
    for short, long in sorted(COMMON.items(), key=lambda pair: -len(pair[1])):
        text = re.sub(rf"(?<!\w){re.escape(long)}(?!\w)", short, text, flags=re.IGNORECASE)
    return text


FORMS: Mapping[str, Callable[[str], str]] = {
    "typed": lambda text: text,
    "unaccented": strip_diacritics,
    "nfd": lambda text: unicodedata.normalize("NFD", text),
    "old-tone": _old_tone_placement,
    "abbrev": _abbreviated,
    "telex": to_telex,
}
"""The forms that a rule makes from any query."""

OWN_FORMS: Mapping[str, str] = {"short": "short", "hurried": "unaccented"}
"""The forms that come with a query, and the name of each in its metadata: keywords; typed in a hurry, with slips."""


def own_forms_of(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Return the forms in a query's metadata, by the name of the form."""
    return {form: metadata[name] for form, name in OWN_FORMS.items() if metadata.get(name)}


def query_form(text: str, form: str, own_forms: Mapping[str, str]) -> str:
    """Return a query in a form; as typed if the form is one of its own and missing.

    Raises UsageError for an unknown form.
    """
    if form in OWN_FORMS:
        return own_forms.get(form, text)
    if form not in FORMS:
        raise UsageError("eval.unknown-form", form=form, forms=", ".join([*FORMS, *OWN_FORMS]))
    return FORMS[form](text)
