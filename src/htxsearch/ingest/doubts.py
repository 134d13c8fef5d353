"""Doubts about the text of an article: broken letters, and pages that nobody read.

Some of what was not read may be read by a later run.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from htxsearch.errors.messages import Message, message
from htxsearch.ingest.article import Article, Rejected
from htxsearch.text.normalize import LONE_VOWELS, is_syllable

__all__ = ["doubts_of", "lacks_recognition", "may_be_read_later", "text_share"]

_LEAST_SHARE = 0.6
"""Share of Vietnamese syllables of a whole text: true texts have .85 and more, names and abbreviations left out."""
_FEWEST_WORDS = 50
_LEAST_VIETNAMESE = 0.05
"""Share of words with a letter that only Vietnamese has; a text with fewer is of another language."""
_MOST_DAMAGE = 0.02
"""Share of characters that stand for nothing, in a text of any language."""
_WORD = re.compile(r"[^\W\d_]+")
_VIETNAMESE = re.compile("[ăđơưĂĐƠƯ\u1ea0-\u1ef9]")
_DAMAGE = re.compile("[\ufffd\ue000-\uf8ff\x80-\x9f]")
_FOREIGN = 4
"""Letters of an English word, at least; the pieces of torn syllables are shorter."""
_ENGLISH = frozenset("the of and for was were are is it its as at by be or if not has had but his her who you we".split())
"""Shorter words of English, which a Vietnamese text may quote."""
_NOT_READ = "dropped.page-not-recognised"
_NOT_INSTALLED = ("ocr.missing", "ocr.no-vietnamese")

_PERHAPS_LATER = frozenset(
    "file.unreadable file.reader-failed file.id-taken file.pdf-too-slow "
    "file.ocr-too-slow file.picture-scan file.pdf-scan".split()
)
"""Reasons that may end without a change of the file: a disk, a program, another file, a busy processor, tesseract."""


def doubts_of(article: Article) -> Iterator[Message]:
    """Yield the reasons to doubt the text of an article."""
    share = text_share(article.body)
    if share is not None and share < _LEAST_SHARE:
        yield message("doubt.broken-text", percent=round(100 * share))
    unread = [dropped.reason.fields for dropped in article.dropped if dropped.reason.code == _NOT_READ]
    if unread:
        yield message("doubt.unread-pages", count=len(unread), first=unread[0]["page"], reason=unread[0]["reason"])


def lacks_recognition(article: Article) -> bool:
    """Return True if pages of an article would be read were OCR installed."""
    reasons = [dropped.reason.fields["reason"] for dropped in article.dropped if dropped.reason.code == _NOT_READ]
    return any(reason.code in _NOT_INSTALLED for reason in reasons)


def may_be_read_later(rejected: Rejected) -> bool:
    """Return True if a later run may read a part though the file stays the same."""
    return rejected.reason.code in _PERHAPS_LATER


def text_share(text: str) -> float | None:
    """Return the share of Vietnamese syllables among the words of a text.

    None if it is short, or of another language and whole. English words, names in another spelling and abbreviations are
    not counted.
    """
    words = _WORD.findall(text)
    if len(words) < _FEWEST_WORDS:
        return None
    is_damaged = len(_DAMAGE.findall(text)) > _MOST_DAMAGE * len(text)
    if not is_damaged and sum(map(_is_of_vietnamese, words)) < _LEAST_VIETNAMESE * len(words):
        return None
    good = list(map(_is_good, words))
    counted = len(good) - good.count(None)
    return good.count(True) / counted if counted >= _FEWEST_WORDS else None


@lru_cache(maxsize=1 << 15)
def _is_of_vietnamese(word: str) -> bool:
    return _VIETNAMESE.search(word) is not None


@lru_cache(maxsize=1 << 15)
def _is_good(word: str) -> bool | None:
    """Return True for a syllable, None for a word that is not counted.

    Cached, as a language has few syllables. Of words of one letter only vowels are syllables.
    """
    if len(word) == 1:
        return word.lower() in LONE_VOWELS
    if is_syllable(word):
        return True
    is_foreign = word.isascii() and (len(word) >= _FOREIGN or word.lower() in _ENGLISH)
    return None if word.isupper() or is_foreign else False
