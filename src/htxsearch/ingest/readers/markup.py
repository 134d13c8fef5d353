"""Markup as text.

The tree of a page in any encoding, and the text of fields of a table or feed that hold HTML.
"""

import re
from html import unescape
from typing import TYPE_CHECKING

from htxsearch.text.encodings import Undecided, decoded, repaired
from htxsearch.text.normalize import nfc

if TYPE_CHECKING:
    from lxml.html import HtmlElement

__all__ = ["field_lines", "markup_lines", "page_tree"]

_DECLARED = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?([\w.:-]{2,40})""", re.IGNORECASE)
_HEAD = 4096
"""Bytes in which a page declares its encoding."""
_XML = re.compile(r"<\?xml[^>]{0,200}\?>")
_TAG = re.compile(
    r"</(?:p|div|span|b|i|u|a|em|strong|h[1-6]|ul|ol|li|table|tr|td|figure|blockquote|font|center)\s*>|<br\s*/?>|<img\s",
    re.IGNORECASE,
)
"""What only HTML has: the end of an element, a break, a picture. A lone <b> may be a sign of a text."""
_ENTITY = re.compile(r"&(?:#\d{2,7}|#x[0-9a-f]{2,6}|[a-z]{2,8}\d{0,2});", re.IGNORECASE)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
"""Characters that markup cannot hold."""
_LONG_TAG = re.compile(r"<([A-Za-z][\w:-]*+)([^<>]{16384,})>")
_QUOTED = re.compile(r"\"[^\"]*+\"|'[^']*+'")
_LONGEST_ATTRIBUTES = 8 * 1024
"""Characters of a tag beside what it quotes; libxml2 takes a time that grows with the square of the number of attributes."""
_BLOCKS = frozenset(
    "p br div dt dd option h1 h2 h3 h4 h5 h6 ul ol li table tr figure blockquote center section article".split()
)
_CELLS = frozenset({"td", "th"})
_UNSEEN = frozenset({"script", "style", "template", "noscript"})


def page_tree(data: bytes) -> "HtmlElement | None":
    """Return the tree of a page, None if there is none.

    UTF-8 is known by its bytes. Else the declared encoding is tried, then those of `text.encodings`: many pages declare
    another one than they have. Letters of TCVN3 and VNI fonts are repaired, also those written as entities.
    """
    import trafilatura

    text = _page_text(data)
    root = trafilatura.load_html(data if text is None else _with_few_attributes(_XML.sub("", text, count=1)))
    if root is not None:
        _repair(root)
    return root


def _with_few_attributes(markup: str) -> str:
    """Return markup in which a tag with thousands of attributes has none."""

    def shortened(tag: re.Match[str]) -> str:
        return f"<{tag[1]}>" if len(_QUOTED.sub("", tag[2])) > _LONGEST_ATTRIBUTES else tag[0]

    return _LONG_TAG.sub(shortened, markup)


def _page_text(data: bytes) -> str | None:
    """Return the text of a page, None if no encoding is likely."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        declared = _DECLARED.search(data, 0, _HEAD)
    try:
        return decoded(data).text
    except Undecided:
        if declared is None:
            return None
    try:
        return data.decode(declared[1].decode("ascii"))
    except (LookupError, UnicodeError):
        return None


def _repair(root: "HtmlElement") -> None:
    """Repair the letters of old fonts in a tree, all texts together."""
    places = [
        (element, name, value)
        for element in root.iter()
        if isinstance(element.tag, str) and element.tag not in _UNSEEN
        for name, value in (("text", element.text), ("tail", element.tail), ("content", element.get("content")))
        if value and not value.isspace() and not value.isascii()
    ]
    found = repaired("\n".join(" ".join(value.split("\n")) for _, _, value in places))
    if found is None:
        return
    for (element, name, _), value in zip(places, _CONTROL.sub("", found.text).split("\n"), strict=True):
        if name == "content":
            element.set(name, value)
        else:
            setattr(element, name, value)


def field_lines(title: str, text: str) -> tuple[str, list[str]]:
    """Return the title and the lines of a row's text (NFC), blanks folded.

    A field that holds HTML is read as such: a line for each paragraph, entities resolved. Letters of old fonts are repaired.
    """
    lines = [" ".join(_plain(title).split()), *(" ".join(line.split()) for line in _plain(text).split("\n"))]
    found = repaired("\n".join(lines))
    title, *lines = found.text.split("\n") if found else lines
    return nfc(title), [nfc(line) for line in lines]


def _plain(field: str) -> str:
    if _TAG.search(field):
        return "\n".join(markup_lines(field))
    return unescape(field) if _ENTITY.search(field) else field


def markup_lines(markup: str) -> list[str]:
    """Return the text of HTML, a line for each block of it."""
    import lxml.etree
    import lxml.html

    parts: list[str] = []
    hidden = 0
    parser = lxml.html.HTMLParser(huge_tree=True, remove_comments=True, remove_pis=True)
    root = lxml.html.document_fromstring(f"<div>{_with_few_attributes(_CONTROL.sub('', markup))}</div>", parser=parser)
    for event, element in lxml.etree.iterwalk(root, events=("start", "end")):
        tag, ended = str(element.tag), event == "end"
        hidden += (tag in _UNSEEN) * (-1 if ended else 1)
        if not hidden:
            mark = "\n" if tag in _BLOCKS else " | " if ended and tag in _CELLS and element.getnext() is not None else ""
            parts += [mark, " ".join(((element.tail if ended else element.text) or "").split("\n"))]
    lines = (" ".join(line.split()) for line in "".join(parts).split("\n"))
    return [line for line in lines if line]
