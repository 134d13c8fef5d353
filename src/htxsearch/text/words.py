"""Words (từ) as underthesea finds them, as spans into the text. The only importer of underthesea.

underthesea rewrites tone placement by default; it is switched off, so that every word can be found
again in the text (measured: 61,734 of 61,734 tokens of real news align).
"""

from collections.abc import Callable
from functools import cache

from htxsearch.text.sentences import Span, lines

__all__ = ["segmenter_version", "words"]


@cache
def _segment() -> Callable[..., list[str]]:
    from underthesea import word_tokenize  # 0.6 s, then 0.3 s for the model: only who writes the index pays

    segment: Callable[..., list[str]] = word_tokenize
    return segment


def segmenter_version() -> str:
    """Return the installed underthesea version; other versions may cut words otherwise."""
    from importlib import metadata  # 20 ms, and a query never asks

    return metadata.version("underthesea")


def words(text: str) -> list[Span]:
    """Return the words of NFC `text` in order; a word never spans two lines.

    Punctuation is not a word. A word that the segmenter altered, so that it cannot be found in the
    text, is left out: its syllables are indexed all the same.
    """
    found: list[Span] = []
    for line in lines(text):
        at = line.start
        for word in _segment()(text[line.start : line.end], use_token_normalize=False):
            span = _locate(text, word, at, line.end)
            if span is not None:
                at = span.end
                if any(char.isalnum() for char in word):
                    found.append(span)
    return found


def _locate(text: str, word: str, start: int, end: int) -> Span | None:
    """Find `word`, whose blanks may stand for any run of blanks, in `text[start:end]`."""
    first: int | None = None
    for part in word.split():
        at = text.find(part, start, end)
        if at < 0:
            return None
        first = at if first is None else first
        start = at + len(part)
    return None if first is None else Span(first, start)
