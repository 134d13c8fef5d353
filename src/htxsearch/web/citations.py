"""Citations of an article: a footnote, one in the style of APA, and BibTeX."""

import re
import unicodedata
from pathlib import PurePosixPath
from typing import NamedTuple

from htxsearch.errors.messages import Language, date_text
from htxsearch.ingest.article import Article
from htxsearch.search.highlight import visible

__all__ = ["Citations", "citations_of"]

_KEY_WORDS = 4
"""Words of the title in the key of a BibTeX entry."""
_FILE: dict[Language, str] = {"vi": "tệp", "en": "file"}
_NUMBER: dict[Language, str] = {"vi": "số", "en": "No."}
_BIBTEX = {
    "\\": r"\textbackslash{}",
    "{": r"\textbraceleft{}",
    "}": r"\textbraceright{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
} | {sign: "\\" + sign for sign in "#$%&_"}
"""How signs are written that mean something in LaTeX; BibTeX counts braces, also those behind a backslash."""


class Citations(NamedTuple):
    """The citation of an article in each style."""

    footnote: str
    apa: str
    bibtex: str


def citations_of(article: Article, language: Language) -> Citations:
    """Return an article's citations; what is not known is left out."""
    return Citations(_footnote(article, language), _apa(article, language), _bibtex(article, language))


def _file(article: Article, language: Language) -> str:
    """Return the name of an article's file in words, "" if the article has an address.

    A path within the corpus would say nothing to who reads the citation.
    """
    return "" if article.url else f"{_FILE[language]} {PurePosixPath(article.path).name}"


def _number(article: Article, language: Language) -> str:
    """Return a document's own number in words, "" if it has none or its title says it."""
    return f"{_NUMBER[language]} {article.number}" if article.number and article.number not in article.title else ""


def _footnote(article: Article, language: Language) -> str:
    """Return author, title, number, source, date, and address or file.

    Commas separate them.
    """
    day = date_text(article.date, language) if article.date else ""
    number, file = _number(article, language), _file(article, language)
    parts = [article.author, f"“{article.title}”", number, article.source, day, article.url or file]
    return ", ".join(part for part in parts if part) + "."


def _apa(article: Article, language: Language) -> str:
    """Return "Author. (date). Title (number) [file]. Source. Address".

    Without an author the title goes first. Only an article without an address has its file named.
    """
    if article.date is None:
        day = "n.d." if language == "en" else "không ghi ngày"
    elif language == "en":
        day = f"{article.date.year}, {article.date:%B} {article.date.day}"
    else:
        day = f"{article.date.year}, ngày {article.date.day} tháng {article.date.month}"
    number, file = _number(article, language), _file(article, language)
    title = " ".join([article.title, *([f"({number})"] if number else []), *([f"[{file}]"] if file else [])])
    named = [article.author, f"({day})", title] if article.author else [title, f"({day})"]
    parts = [part for part in (*named, article.source) if part]
    sentences = " ".join(part if part.endswith((".", "?", "!", "…")) else f"{part}." for part in parts)
    return f"{sentences} {article.url}" if article.url else sentences


def _bibtex(article: Article, language: Language) -> str:
    """Return an entry of BibTeX, whose fields hold no sign that LaTeX would read."""
    fields = {
        "author": f"{{{_escaped(article.author)}}}" if article.author else "",  # braces within: one name, whatever is in it
        "title": f"{{{_escaped(article.title)}}}",  # and: no letter becomes small
        "year": str(article.date.year) if article.date else "",
        "date": article.date.isoformat() if article.date else "",
        "publisher": f"{{{_escaped(article.source)}}}" if article.source else "",
        "number": _escaped(article.number) if article.number else "",
        "url": _address(article.url) if article.url else "",
        "note": _escaped(_file(article, language)),
        "langid": "vietnamese",
    }
    lines = [f"  {name} = {{{value}}}" for name, value in fields.items() if value]
    return f"@misc{{{_key(article)},\n" + ",\n".join(lines) + "\n}"


def _escaped(text: str) -> str:
    """Return a text on one line with the signs of LaTeX escaped."""
    return "".join(_BIBTEX.get(sign, sign) for sign in " ".join(visible(text).split()))


def _address(url: str) -> str:
    """Return an address for the field `url`, which LaTeX reads as it is.

    Braces, blanks and backslashes are encoded.
    """
    return re.sub(r"[\s{}\\]", lambda sign: "".join(f"%{byte:02X}" for byte in sign[0].encode()), visible(url))


def _key(article: Article) -> str:
    """Return a key of plain letters: Hợp tác xã chè Tân Cương → hop-tac-xa-che-2021."""
    plain = unicodedata.normalize("NFD", article.title.lower().replace("đ", "d")).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", plain)[:_KEY_WORDS] or ["htxsearch"]
    return "-".join([*words, *([str(article.date.year)] if article.date else [])])
