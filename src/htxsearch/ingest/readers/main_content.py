"""Which blocks of a web page are its story.

Trafilatura (Apache-2.0) votes for blocks; the element that holds most of what it votes for is the story's container.
Within it, prose that trafilatura missed is taken and boxes of links, keywords and buttons are left; above it, down from the
page's heading, the lead. What is left out keeps the reason.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from htxsearch.ingest.boilerplate import is_boilerplate_label, is_prose
from htxsearch.ingest.readers.base import same_text
from htxsearch.ingest.readers.blocks import Block, names_of
from htxsearch.text.dates import read_dateline
from htxsearch.text.normalize import folded_form
from htxsearch.text.tokens import terms

if TYPE_CHECKING:
    from lxml.html import HtmlElement

__all__ = ["OUTSIDE", "reasons_of"]

OUTSIDE = "outside the article's part of the page"
_LINK = "a link to another page"
_LINKED = 0.7
"""A block with a greater share of link text is a link; in the pages looked at stories' blocks are below .4, boxes' above .9."""
_MOST = 0.8
"""The share of the votes, by length, that the story's container holds."""
_FEW = 40
"""With fewer words than this trafilatura has not found the story, and all prose votes."""

_BOX = re.compile(
    r"(?<![a-z])(?:relat(?:ed|ion|e)|(?:tin|bai)-?(?:lien-?quan|khac|cung)|lien-?quan|read-?more|recommend\w*|suggest\w*|other-?news"
    r"|tags?|keywords?|share|social|comments?|binh-?luan|rating|vote|danh-?gia|breadcrumbs?|side-?bar|advert\w*|ads|banner|promo"
    r"|newsletter|subscribe|menu|nav|navbar|toolbar|author|byline|tac-?gia|copyright|print|counter|hotline|popup|modal|widget"
    r"|teaser)(?![a-z])",
)
_SAPO = re.compile(r"(?<![a-z])(?:sapo|lead|summary|description|desc|abstract|intro|trich-?yeu|tom-?tat|excerpt)(?![a-z])")


def reasons_of(blocks: Sequence[Block], voted: str, title: str | None, description: str | None) -> list[str | None]:
    """Return for each block why it is no part of the story, None if it is one.

    `voted` is the text that trafilatura found, `description` what the page says of itself in its head.
    """
    votes = _votes(blocks, voted)
    container = _container(blocks, votes)
    if container is None:
        return [OUTSIDE] * len(blocks)
    inside = [_is_within(one.element, container) for one in blocks]
    reasons = [_left_out(one, container, title) if here else OUTSIDE for one, here in zip(blocks, inside, strict=True)]
    story = [number for number, vote in enumerate(votes) if vote and reasons[number] is None]
    if not story:
        return [OUTSIDE] * len(blocks)
    for number in range(len(blocks)):
        if reasons[number] is None and not votes[number] and not _belongs(blocks, number, story):
            reasons[number] = "nothing speaks for its being text of the story"
    lead = _lead(blocks, reasons.index(None), title, description)
    for number in lead:
        reasons[number] = None
    return reasons


def _votes(blocks: Sequence[Block], voted: str) -> list[bool]:
    """Return which blocks are in the text that trafilatura found, or, if that is hardly any, which are prose."""
    if len(voted.split()) < _FEW:
        return [is_prose(one.text) and one.linked < 0.3 for one in blocks]
    known = f" {_squeezed(voted)} "
    return [len(found := _squeezed(one.text)) > 0 and f" {found} " in known for one in blocks]


def _squeezed(text: str) -> str:
    return " ".join(map(folded_form, terms(text)))


def _container(blocks: Sequence[Block], votes: Sequence[bool]) -> "HtmlElement | None":
    """Return the smallest element that holds most of what was voted for; links do not count."""
    sizes: Counter[Any] = Counter()
    depths: dict[Any, int] = {}
    total = 0
    for one, vote in zip(blocks, votes, strict=True):
        if not vote or one.linked > _LINKED:
            continue
        size = len(one.text)
        total += size
        path = [one.element, *one.element.iterancestors()]
        for up, element in enumerate(path):
            sizes[element] += size
            depths[element] = len(path) - up
    held = [element for element, size in sizes.items() if size >= _MOST * total]
    return max(held, key=lambda element: depths[element], default=None)


def _is_within(element: "HtmlElement", container: "HtmlElement") -> bool:
    return element is container or any(one is container for one in element.iterancestors())


def _left_out(one: Block, container: "HtmlElement", title: str | None) -> str | None:
    """Return why a block within the container is certainly no text of the story."""
    if one.linked > _LINKED:
        return _LINK
    if title and same_text(one.text, title):
        return "the title again"
    box = _box(one.element, container)
    if box and (
        one.linked > 0.3 or not is_prose(one.text) or box.startswith(("relat", "comment", "binh", "tin", "bai", "lien"))
    ):
        return f"in a part of the page that is marked “{box}”"
    return is_boilerplate_label(one.text)


def _box(element: "HtmlElement", container: "HtmlElement") -> str | None:
    """Return the word by which the page's author marked a block, or what it lies in within the container, as no text."""
    while element is not container:
        if element.tag in ("nav", "aside", "footer"):
            return str(element.tag)
        found = _BOX.search(names_of(element))
        if found:
            return found.group()
        parent = element.getparent()
        if parent is None:
            return None
        element = parent
    return None


def _belongs(blocks: Sequence[Block], number: int, story: Sequence[int]) -> bool:
    """Tell whether a block that trafilatura passed over is the story's: prose, or what stands between its blocks."""
    one = blocks[number]
    if one.linked > 0.3:
        return False
    amid = story[0] < number < story[-1]
    if one.kind == "caption" or one.kind == "row":
        return story[0] - 3 <= number <= story[-1] + 3
    if one.kind == "heading":
        return amid
    return is_prose(one.text) and (amid or len(one.text.split()) >= 15) and read_dateline(one.text) is None


def _lead(blocks: Sequence[Block], first: int, title: str | None, description: str | None) -> list[int]:
    """Return the blocks between the page's heading and the story that are its lead."""
    above = range(max(0, first - 15), first)
    headings = [number for number in above if title and same_text(blocks[number].text, title)]
    start = headings[-1] + 1 if headings else above.start
    found = []
    for number in range(start, first):
        one = blocks[number]
        if one.linked > 0.5 or len(one.text.split()) < 5 or is_boilerplate_label(one.text) or read_dateline(one.text):
            continue
        said = description is not None and _is_said(one.text, description)
        marked = any(map(_SAPO.search, (one.names, *map(names_of, list(one.element.iterancestors())[:2]))))
        plain = (
            is_prose(one.text)
            and one.kind != "item"
            and _box(one.element, blocks[first].element.getroottree().getroot()) is None
        )
        if said or (headings and (marked or plain)):
            found.append(number)
    return found


def _is_said(text: str, description: str) -> bool:
    """Tell whether a description in the page's head says the same as a text, be it cut short."""
    one, other = Counter(map(folded_form, terms(text))), Counter(map(folded_form, terms(description)))
    common = (one & other).total()
    return (
        min(one.total(), other.total()) >= 10
        and common >= 0.8 * min(one.total(), other.total())
        and common >= 0.3 * one.total()
    )
