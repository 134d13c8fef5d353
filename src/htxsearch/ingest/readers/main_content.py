"""Main content of a web page: the blocks that belong to its article.

Trafilatura (Apache-2.0) votes for blocks; the element that holds most of the votes is the article's container.
Within it, prose that trafilatura missed is added and boxes of links, keywords and buttons are dropped; above it, the lead below
the page's heading is added. Each dropped block keeps the reason.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from htxsearch.errors.messages import Message, message
from htxsearch.ingest.boilerplate import boilerplate_kind, is_prose
from htxsearch.ingest.readers.base import same_text
from htxsearch.ingest.readers.blocks import Block, names_of
from htxsearch.text.dates import read_dateline
from htxsearch.text.normalize import folded_form
from htxsearch.text.tokens import terms

if TYPE_CHECKING:
    from lxml.html import HtmlElement

__all__ = ["OUTSIDE", "reasons_of"]

OUTSIDE = message("dropped.outside")
_LINKED = 0.7
"""A block with a greater share of link text is a link; in the sampled pages articles' blocks are below .4, boxes' above .9."""
_MOST = 0.8
"""The share of the votes, by length, that the article's container holds."""
_FEW = 40
"""With fewer words than this trafilatura has not found the article, and all prose gets a vote."""

_BOX_NAMES = re.compile(
    r"(?<![a-z])(?:relat(?:ed|ion|e)|(?:tin|bai)-?(?:lien-?quan|khac|cung)|lien-?quan|read-?more|recommend\w*|suggest\w*|other-?news"
    r"|tags?|keywords?|share|social|comments?|binh-?luan|rating|vote|danh-?gia|breadcrumbs?|side-?bar|advert\w*|ads|banner|promo"
    r"|newsletter|subscribe|menu|nav|navbar|toolbar|author|byline|tac-?gia|copyright|print|counter|hotline|popup|modal|widget"
    r"|teaser)(?![a-z])",
)
_LEAD_NAMES = re.compile(
    r"(?<![a-z])(?:sapo|lead|summary|description|desc|abstract|intro|trich-?yeu|tom-?tat|excerpt)(?![a-z])"
)


def reasons_of(blocks: Sequence[Block], voted: str, title: str | None, description: str | None) -> list[Message | None]:
    """Return for each block the reason to drop it, None for the main content.

    `voted` is the text that trafilatura found, `description` the description in the page's head.
    """
    votes = _votes(blocks, voted)
    container = _container(blocks, votes)
    if container is None:
        return [OUTSIDE] * len(blocks)
    inside = [_is_within(block.element, container) for block in blocks]
    reasons = [
        _reason(block, container, title) if is_inside else OUTSIDE for block, is_inside in zip(blocks, inside, strict=True)
    ]
    content = [number for number, vote in enumerate(votes) if vote and reasons[number] is None]
    if not content:
        return [OUTSIDE] * len(blocks)
    for number in range(len(blocks)):
        if reasons[number] is None and not votes[number] and not _belongs(blocks, number, content):
            reasons[number] = message("dropped.no-evidence")
    lead = _lead(blocks, reasons.index(None), title, description)
    for number in lead:
        reasons[number] = None
    return reasons


def _votes(blocks: Sequence[Block], voted: str) -> list[bool]:
    """Return for each block whether trafilatura found its text.

    If trafilatura found hardly any text, the value is whether the block is prose.
    """
    if len(voted.split()) < _FEW:
        return [is_prose(block.text) and block.linked < 0.3 for block in blocks]
    known = f" {_squeezed(voted)} "
    return [len(text := _squeezed(block.text)) > 0 and f" {text} " in known for block in blocks]


def _squeezed(text: str) -> str:
    return " ".join(map(folded_form, terms(text)))


def _container(blocks: Sequence[Block], votes: Sequence[bool]) -> "HtmlElement | None":
    """Return the smallest element that holds most of the votes; links do not count."""
    sizes: Counter[Any] = Counter()
    depths: dict[Any, int] = {}
    total = 0
    for block, vote in zip(blocks, votes, strict=True):
        if not vote or block.linked > _LINKED:
            continue
        size = len(block.text)
        total += size
        path = [block.element, *block.element.iterancestors()]
        for up, element in enumerate(path):
            sizes[element] += size
            depths[element] = len(path) - up
    held = [element for element, size in sizes.items() if size >= _MOST * total]
    return max(held, key=lambda element: depths[element], default=None)


def _is_within(element: "HtmlElement", container: "HtmlElement") -> bool:
    return element is container or any(ancestor is container for ancestor in element.iterancestors())


def _reason(block: Block, container: "HtmlElement", title: str | None) -> Message | None:
    """Return the reason to drop a block within the container.

    None if the block may be text of the article.
    """
    if block.linked > _LINKED:
        return message("dropped.link")
    if title and same_text(block.text, title):
        return message("dropped.title-again")
    box = _box(block.element, container)
    if box and (
        block.linked > 0.3 or not is_prose(block.text) or box.startswith(("relat", "comment", "binh", "tin", "bai", "lien"))
    ):
        return message("dropped.box", name=box)
    return boilerplate_kind(block.text)


def _box(element: "HtmlElement", container: "HtmlElement") -> str | None:
    """Return the tag or class of the box within the container that a block is in.

    A box is a menu, comments …; None if the block is in no box.
    """
    while element is not container:
        if element.tag in ("nav", "aside", "footer"):
            return str(element.tag)
        name = _BOX_NAMES.search(names_of(element))
        if name:
            return name.group()
        parent = element.getparent()
        if parent is None:
            return None
        element = parent
    return None


def _belongs(blocks: Sequence[Block], number: int, content: Sequence[int]) -> bool:
    """Return True if a block that trafilatura passed over is main content.

    Such a block is prose, or between blocks of main content.
    """
    block = blocks[number]
    if block.linked > 0.3:
        return False
    between = content[0] < number < content[-1]
    if block.kind in ("caption", "row"):
        return content[0] - 3 <= number <= content[-1] + 3
    if block.kind == "heading":
        return between
    return is_prose(block.text) and (between or len(block.text.split()) >= 15) and read_dateline(block.text) is None


def _lead(blocks: Sequence[Block], first: int, title: str | None, description: str | None) -> list[int]:
    """Return the numbers of the blocks that are the lead of a page.

    They are between the page's heading and the main content.
    """
    above = range(max(0, first - 15), first)
    headings = [number for number in above if title and same_text(blocks[number].text, title)]
    start = headings[-1] + 1 if headings else above.start
    lead = []
    for number in range(start, first):
        block = blocks[number]
        if block.linked > 0.5 or len(block.text.split()) < 5 or boilerplate_kind(block.text) or read_dateline(block.text):
            continue
        described = description is not None and _is_described(block.text, description)
        named = any(map(_LEAD_NAMES.search, (block.names, *map(names_of, list(block.element.iterancestors())[:2]))))
        plain = (
            is_prose(block.text)
            and block.kind != "item"
            and _box(block.element, blocks[first].element.getroottree().getroot()) is None
        )
        if described or (headings and (named or plain)):
            lead.append(number)
    return lead


def _is_described(text: str, description: str) -> bool:
    """Return True if the description in the page's head has the words of a text.

    This holds even if the description is cut short.
    """
    of_text, of_description = Counter(map(folded_form, terms(text))), Counter(map(folded_form, terms(description)))
    common = (of_text & of_description).total()
    shorter = min(of_text.total(), of_description.total())
    return shorter >= 10 and common >= 0.8 * shorter and common >= 0.3 * of_text.total()
