"""A web page as its visible blocks of text, in order.

Each block has its element and the share of link text.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from htxsearch.text.normalize import nfc

if TYPE_CHECKING:
    from lxml.html import HtmlElement

__all__ = ["Block", "blocks_of", "controls_of", "names_of"]

_UNSEEN = frozenset(
    "head script style noscript template svg iframe object select option datalist textarea input button canvas map".split()
)
_CONTROLS = frozenset("select textarea input button svg".split())
_PUSHED = frozenset({"submit", "button", "reset"})
_BREAKING = frozenset(
    "html body div p h1 h2 h3 h4 h5 h6 ul ol li dl dt dd table thead tbody tfoot tr td th caption section article main aside"
    " nav header footer form fieldset figure figcaption blockquote pre address br hr center details summary video picture"
    " legend".split()
)
_KINDS = {
    **{f"h{n}": "heading" for n in range(1, 7)},
    "figcaption": "caption",
    "caption": "caption",
    "li": "item",
    "dt": "item",
}
_HIDDEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_CAPTION = re.compile(
    r"caption|chu-?thich|image-?(?:note|desc|title)|img-?(?:note|desc|title)|photo-?(?:note|desc)", re.IGNORECASE
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_CELL_WORDS = 25


@dataclass(slots=True)
class Block:
    """One block of a page.

    `kind` is "text", "heading", "caption", "item" or "row"; `linked` the share of its text in links; `names` the classes and
    ids of the element and of those around the text in it, see `names_of`.
    """

    text: str
    kind: str
    linked: float
    element: "HtmlElement"
    names: str = ""


class _Walk:
    """A walk through a page that collects text.

    It closes a block wherever a new line begins on the screen.
    """

    def __init__(self) -> None:
        self.blocks: list[Block] = []
        self._text: list[str] = []
        self._linked = 0
        self._links = 0
        self._rows: list[int] = []
        self._element: Any = None

    def text(self, text: str | None, element: "HtmlElement") -> None:
        if text:
            self._text.append(text)
            if text.strip():
                self._element = self._element if self._element is not None else element
                self._linked += len(text.strip()) if self._links else 0

    def start(self, element: "HtmlElement") -> None:
        if element.tag in _BREAKING:
            self.close()
        self._links += element.tag == "a"
        if element.tag == "tr":
            self._rows.append(len(self.blocks))

    def end(self, element: "HtmlElement") -> None:
        if element.tag in _BREAKING:
            self.close()
        self._links -= element.tag == "a"
        if element.tag == "tr" and self._rows:
            self._row(self._rows.pop(), element)

    def close(self) -> None:
        text = nfc(" ".join("".join(self._text).split()))
        if text:
            share = min(1.0, self._linked / max(1, len(text)))
            element, names = _breaking(self._element)
            self.blocks.append(Block(text, _kind(self._element), share, element, names))
        self._text, self._linked, self._element = [], 0, None

    def _row(self, first: int, element: "HtmlElement") -> None:
        """Make a single block of the short cells of a row of data.

        A row that lays out the page keeps its blocks.
        """
        cells = self.blocks[first:]
        short = all(len(cell.text.split()) <= _CELL_WORDS and cell.kind != "row" for cell in cells)
        apart = len({id(_cell(cell.element)) for cell in cells}) == len(cells)
        if len(cells) >= 2 and short and apart:
            linked = sum(cell.linked * len(cell.text) for cell in cells) / sum(len(cell.text) for cell in cells)
            self.blocks[first:] = [Block(" | ".join(cell.text for cell in cells), "row", linked, element)]


def blocks_of(root: "HtmlElement") -> list[Block]:
    """Return the blocks of a page without scripts, controls and hidden elements."""
    walk = _Walk()
    for event, element in _events(root):
        if event == "start":
            walk.start(element)
            walk.text(element.text, element)
        else:
            if event == "end":
                walk.end(element)
            walk.text(element.tail, _parent(element))
    walk.close()
    return walk.blocks


def controls_of(root: "HtmlElement") -> list[str]:
    """Return the words on the visible controls of a page, a line for each.

    Controls are buttons, choices, boxes to type in, and drawings.
    """
    unseen = (element for event, element in _events(root) if event == "unseen" and element.tag in _CONTROLS)
    texts = (nfc(" ".join(_words_on(control).split())) for control in unseen if not _is_hidden(control))
    return [text for text in texts if text]


def _words_on(control: "HtmlElement") -> str:
    if control.tag == "input":
        is_pushed = control.get("type", "").lower() in _PUSHED
        return str(control.get("value" if is_pushed else "placeholder", ""))
    unseen = " or ".join(f"ancestor::{tag}" for tag in ("style", "script", "title", "desc", "defs", "metadata"))
    return " ".join(control.xpath(f".//text()[not({unseen})]"))


def _events(root: "HtmlElement") -> Iterator[tuple[str, "HtmlElement"]]:
    """Yield the "start" and "end" of visible elements, without recursion.

    For other elements, whose tail counts, the event is "unseen".
    """
    stack: list[tuple[str, Any]] = [("start", root)]
    while stack:
        event, element = stack.pop()
        if event == "start" and (not isinstance(element.tag, str) or element.tag in _UNSEEN or _is_hidden(element)):
            event = "unseen"
        elif event == "start":
            stack.append(("end", element))
            stack.extend(("start", child) for child in reversed(element))
        yield event, element


def _is_hidden(element: "HtmlElement") -> bool:
    return bool(_HIDDEN.search(element.get("style", ""))) or "hidden" in element.attrib


def _parent(element: "HtmlElement") -> "HtmlElement":
    parent = element.getparent()
    return element if parent is None else parent


def _breaking(element: "HtmlElement") -> tuple["HtmlElement", str]:
    """Return the nearest element that breaks lines, and names of elements.

    The names are those of this element and of the elements from it down to the text.
    """
    names = names_of(element)
    while element.tag not in _BREAKING and element.getparent() is not None:
        element = _parent(element)
        names += f" {names_of(element)}"
    return element, names


def names_of(element: "HtmlElement") -> str:
    """Return an element's classes and id as lower-case words with hyphens.

    newsTitle and news_title are news-title.
    """
    return _CAMEL.sub("-", f"{element.get('class', '')} {element.get('id', '')}").lower().replace("_", "-")


def _cell(element: "HtmlElement") -> "HtmlElement":
    while element.tag not in ("td", "th") and element.getparent() is not None:
        element = _parent(element)
    return element


def _kind(element: "HtmlElement") -> str:
    for _ in range(4):
        if _CAPTION.search(names_of(element)):
            return "caption"
        if element.tag in _KINDS:
            return _KINDS[element.tag]
        if element.getparent() is None or element.tag in ("div", "td", "section", "article"):
            break
        element = _parent(element)
    return "text"
