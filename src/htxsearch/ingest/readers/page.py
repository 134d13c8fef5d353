"""Saved web pages: the main content, and the metadata of the page's head.

An official document that was saved as a page, or that a page consists of, is read like one in any other format.
"""

import html
import json
import logging
import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import replace
from datetime import date
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from htxsearch.errors.messages import Message, message
from htxsearch.ingest.article import Dropped, Unreadable
from htxsearch.ingest.boilerplate import is_prose, label_lines
from htxsearch.ingest.hosts import host_of
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.base import ParsedDocument, document, same_text, take_datelines
from htxsearch.ingest.readers.blocks import Block, blocks_of, controls_of
from htxsearch.ingest.readers.letterhead import is_official, read_letterhead
from htxsearch.ingest.readers.main_content import reasons_of
from htxsearch.ingest.readers.markup import page_tree
from htxsearch.text.dates import find_date, read_dateline
from htxsearch.text.normalize import folded_form, nfc
from htxsearch.text.official import own_number
from htxsearch.text.tokens import terms

if TYPE_CHECKING:
    from lxml.html import HtmlElement

__all__ = ["read_page"]

_SITE = re.compile(
    r"(?i:(?:cổng|trang) thông tin\b.*|trang chủ\b.*|trang (?:web|tin điện tử)\b.*|website\b.*|home)"
    r"|(?:Báo|Tạp chí|Bản tin|BÁO|TẠP CHÍ|BẢN TIN) (?:điện tử |ĐIỆN TỬ )?"
    r"(?!(?i:cáo|động|giá|hiếu|tin|hỷ|ứng|vệ|chí)\b)[A-ZĐÀ-Ỹ]\S*(?:\s\S+){0,4}"
    r"|(?i:[\w.-]+\.(?:vn|com|net|org)(?:\.vn)?|(?:\S+ ){0,3}(?:online|news))",
)
"""The name of a site, but not a title that begins like one (Báo cáo …)."""
_BETWEEN = re.compile(r"(?<!\s)(?:\s++[-–—|:»«›>•·/]++\s++|\s*+\|\s*+)")
_MOST_ABOVE, _HEAD_BLOCKS = 200, 8
"""Blocks above the head of an official document; blocks of it above the motto, or above the main content."""
_MOST_IN_TITLE = 20
"""Parts of a window's title that are looked for: the headline, the section, the site."""
_LONGEST_TITLE = 1_000
"""Characters of a title, or of a name in the page's head; longer ones are made for search engines."""
_LENGTHS = range(1, _LONGEST_TITLE + 1)
_LONG_FIELDS = frozenset({"description", "window"})
_SAME_TITLE = 0.7
"""Least share of its syllables with which a heading above an official document is its title again."""
_TITLED = re.compile(r"(?<![a-z])(?:title|tieu-?de|headline|heading)(?![a-z])", re.IGNORECASE)
_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_SAVED = re.compile(rb"saved date:\s*\w+ (%s) (\d{1,2}) (\d{4})" % b"|".join(_MONTHS))


def read_page(data: bytes) -> Iterator[ParsedDocument]:
    """Yield the article of a saved page.

    It is the page's main content, with title, day, author and site from the page's head.
    Raises Unreadable if the page has no article.
    """
    import trafilatura

    logging.getLogger("trafilatura").setLevel(logging.CRITICAL)  # what it discards is said by the reasons here
    root = page_tree(data)
    if root is None:
        raise Unreadable(message("file.page-without-article"))
    head = _head(root)
    blocks = blocks_of(root)
    voted = nfc(trafilatura.extract(root, include_comments=False, include_tables=True) or "")
    reasons = reasons_of(blocks, voted, None, head.get("description"))
    known = Metadata(
        source=_site(head, None) or host_of(head.get("url", "")) or None,
        url=head.get("url"),
        author=_author(head),
        crawled=_saved(data),
    )
    controls = tuple(Dropped(text, message("dropped.control")) for text in controls_of(root))
    window = head.get("window", "")
    if official := _official(blocks, reasons, known):
        shown = (official.metadata.title, known.source, *(block.text for block in blocks))
        return iter([replace(official, dropped=official.dropped + controls + _unshown(window, shown))])
    if None not in reasons:
        raise Unreadable(message("file.page-without-article"))
    title = _title(head, blocks, reasons.index(None))
    reasons = reasons_of(blocks, voted, title, head.get("description"))
    if None not in reasons:
        raise Unreadable(message("file.page-only-title"))
    lines = [block.text for block, reason in zip(blocks, reasons, strict=True) if reason is None]
    known = replace(
        known,
        title=title,
        date=find_date(head.get("date", "")) or _day_above(blocks, reasons, title),
        source=_site(head, title) or host_of(head.get("url", "")) or None,
    )
    shown = (title, known.source, *(block.text for block in blocks))
    return iter([_parsed(lines, known, _grouped(blocks, reasons) + controls + _unshown(window, shown))])


def _unshown(window: str, shown: Iterable[str | None]) -> tuple[Dropped, ...]:
    """Return the title of a window as dropped if a part of it is not `shown`."""
    texts = "\n".join(text.lower() for text in shown if text)
    parts = [part for part in _BETWEEN.split(window.lower()) if part.strip()]
    is_shown = len(parts) <= _MOST_IN_TITLE and all(
        re.search(rf"(?<!\w){re.escape(part.strip())}(?!\w)", texts) for part in parts
    )
    return () if is_shown else (Dropped(window, message("dropped.page-title")),)


def _official(blocks: Sequence[Block], reasons: Sequence[Message | None], known: Metadata) -> ParsedDocument | None:
    """Return the official document that a page consists of, None for any other page.

    Its head begins the main content. From there to the end of the main content all is text: a document is full of short lines.
    """
    texts = [block.text for block in blocks]
    marked = next((at for at, text in enumerate(texts[:_MOST_ABOVE]) if is_official([text]) or own_number([text])), None)
    if marked is None:
        return None
    first = reasons.index(None) if None in reasons else marked
    for start in range(max(0, marked - _HEAD_BLOCKS), marked + 1):
        head = read_letterhead(texts[start:], above=0) if blocks[start].linked < 0.5 and start <= first + _HEAD_BLOCKS else None
        if head:
            break
    else:
        return None
    below = start + head.lines
    end = max(below, *(at + 1 for at, reason in enumerate(reasons) if reason is None), *([len(blocks)] * _is_alone(blocks)))
    outside = list(reasons)
    for at in range(start, end):
        outside[at] = None if at < below or blocks[at].linked < 0.5 else outside[at]
    for at in range(start):
        is_title = blocks[at].kind == "heading" and _share(texts[at], head.title or "") >= _SAME_TITLE
        outside[at] = outside[at] or (message("dropped.title-again") if is_title else None)
    parsed = document([texts[at] for at in range(below, end) if outside[at] is None], known, head=head)
    before = [texts[at] for at in range(start) if outside[at] is None]
    return replace(parsed, body="\n".join([*before, parsed.body]), dropped=parsed.dropped + _grouped(blocks, outside))


def _is_alone(blocks: Sequence[Block]) -> bool:
    """Return True if a page has no links.

    It is a document that an office program saved.
    """
    return not any(block.linked for block in blocks)


def _parsed(
    lines: Sequence[str], of_head: Metadata, outside: tuple[Dropped, ...], learned: Set[str] = frozenset()
) -> ParsedDocument:
    labels = label_lines(lines, learned)
    known = take_datelines(labels, of_head)
    return ParsedDocument(
        "\n".join(labels.kept()),
        known,
        dropped=labels.dropped() + outside,
        lines=tuple(labels.lines),
        without=partial(_parsed, tuple(lines), of_head, outside),
        heading=known.title,
    )


def _grouped(blocks: Sequence[Block], reasons: Sequence[Message | None]) -> tuple[Dropped, ...]:
    """Return the dropped blocks as lines, neighbours with the same reason together."""
    rows = zip(reasons, blocks, strict=True)
    return tuple(
        Dropped("\n".join(block.text for _, block in group), reason)
        for reason, group in groupby(rows, lambda row: row[0])
        if reason
    )


# The metadata of a page's head


def _head(root: "HtmlElement") -> dict[str, str]:
    """Return the metadata in the page's head, where given.

    They are the headline, opengraph, window (all titles), description, date, author, site and url.
    Sources: JSON-LD (schema.org), OpenGraph, HTML's own metadata.
    """
    metas: dict[str, str] = {}
    for meta in root.iter("meta"):
        name = meta.get("property") or meta.get("name") or meta.get("itemprop")
        if name and meta.get("content"):
            metas.setdefault(name.lower(), meta.get("content"))
    data = _linked_data(root)
    canonical = next((link.get("href", "") for link in root.iter("link") if link.get("rel") == "canonical"), "")
    publisher, author = data.get("publisher"), data.get("author")
    choices = {
        "headline": [data.get("headline"), metas.get("og:title"), metas.get("twitter:title")],
        "opengraph": [metas.get("og:title")],
        "window": [next(("".join(title.itertext()) for title in root.iter("title")), None)],
        "description": [metas.get("og:description"), metas.get("description"), data.get("description")],
        "date": [data.get("datePublished"), *(metas.get(name) for name in _DATES)],
        "author": [_name(author), metas.get("article:author"), metas.get("author"), metas.get("dc.creator")],
        "site": [metas.get("og:site_name"), _name(publisher), metas.get("author") if not author else None],
        "url": [canonical, metas.get("og:url"), data.get("url")],
    }
    head = {}
    for field, values in choices.items():
        texts = [nfc(" ".join(html.unescape(html.unescape(value)).split())) for value in values if isinstance(value, str)]
        if field not in _LONG_FIELDS:
            texts = [text for text in texts if len(text) in _LENGTHS]
        if any(texts):
            head[field] = next(text for text in texts if text)
    if not head.get("url", "http").startswith("http"):
        del head["url"]
    return head


_DATES = (
    "article:published_time",
    "datepublished",
    "pubdate",
    "og:published_time",
    "dc.date.issued",
    "dc.date",
    "dcterms.created",
)


def _linked_data(root: "HtmlElement") -> dict[str, Any]:
    """Return the first article that the page describes as JSON-LD.

    Unreadable scripts are passed over.
    """
    for script in root.iter("script"):
        if script.get("type") != "application/ld+json":
            continue
        try:
            data = json.loads(script.text or "", strict=False)
        except (ValueError, RecursionError):  # many templates of sites are not quite JSON
            continue
        graph = data.get("@graph", data) if isinstance(data, dict) else data
        for node in graph if isinstance(graph, list) else [graph]:
            kind = str(node.get("@type")) if isinstance(node, dict) else ""
            if "Article" in kind or "BlogPosting" in kind:
                return dict(node)
    return {}


def _name(node: object) -> str | None:
    """Return the name of a person or organisation in JSON-LD."""
    if isinstance(node, list):
        return ", ".join(filter(None, map(_name, node))) or None
    name = node.get("name") if isinstance(node, dict) else node
    return name if isinstance(name, str) else _name(name) if isinstance(name, list) else None


def _saved(data: bytes) -> date | None:
    """Return the day on which the page was saved.

    SingleFile's comment in the bytes gives it; parsing drops comments.
    """
    match = _SAVED.search(data[:4096])
    day = match and f"{match[2].decode()}/{_MONTHS.index(match[1]) + 1}/{match[3].decode()}"
    return find_date(day) if day else None


def _author(head: dict[str, str]) -> str | None:
    """Return the author if it is a person's name.

    An address, an account or the site is not.
    """
    author = head.get("author")
    if not author or "/" in author or "." in author or " " not in author or _SITE.fullmatch(author):
        return None
    site = head.get("site")
    return None if site and same_text(author, site) else author


def _site(head: dict[str, str], title: str | None) -> str | None:
    site = head.get("site")
    return None if site and title and same_text(site, title) else site


# The title


def _title(head: dict[str, str], blocks: Sequence[Block], first: int) -> str | None:
    """Return the heading above the main content that agrees best with the page's head.

    If no heading agrees, the head's own title.
    """
    site = head.get("site")
    titles = [title for name in ("headline", "opengraph", "window") if len(title := head.get(name, "")) in _LENGTHS]
    without_site = [title for title in (_without_site(title, site) for title in titles) if title]
    parts = [part for title in titles for part in _BETWEEN.split(title)]
    best, score = None, 0
    for number, block in enumerate(blocks[: first + 2]):
        text = block.text
        likely = len(text) in _LENGTHS and 3 <= len(text.split()) <= 40 and block.linked < 0.5 and not _names_site(text, site)
        if not likely or read_dateline(text) is not None:
            continue
        agrees = 4 * any(same_text(text, title) for title in without_site) or 3 * any(same_text(text, part) for part in parts)
        looks = (block.kind == "heading") + (block.element.tag == "h1") + bool(_TITLED.search(block.names))
        if agrees + looks and agrees + looks >= score and (agrees or number >= first - 12):
            best, score = text, agrees + looks
    if best and (score >= 4 or not without_site or _share(best, without_site[0]) >= 0.5):
        return best
    return without_site[0] if without_site else best or _line_above(blocks, first)


def _without_site(title: str, site: str | None) -> str | None:
    """Return a title without the parts at its ends that name the site.

    None if nothing else is left.
    """
    cuts = list(_BETWEEN.finditer(title))
    start, end = 0, len(title)
    for cut in reversed(cuts):
        if not _names_site(title[cut.end() : end], site):
            break
        end = cut.start()
    for cut in cuts:
        if cut.start() >= end or not _names_site(title[start : cut.start()], site):
            break
        start = cut.end()
    rest = title[start:end].strip()
    return None if not rest or _names_site(rest, site) or len(rest.split()) < 4 else rest


def _names_site(part: str, site: str | None) -> bool:
    return bool(_SITE.fullmatch(part.strip())) or (site is not None and same_text(part, site))


def _share(one: str, other: str) -> float:
    """Return the share of the shorter text's syllables that the other has."""
    first, second = ({folded_form(term) for term in terms(text)} for text in (one, other))
    return len(first & second) / max(1, min(len(first), len(second)))


def _line_above(blocks: Sequence[Block], first: int) -> str | None:
    """Return the nearest line above the main content that could be a title.

    It serves a page without any other title.
    """
    for block in reversed(blocks[max(0, first - 6) : first]):
        text = block.text
        if 4 <= len(text.split()) <= 30 and block.linked < 0.5 and not is_prose(text) and not _SITE.fullmatch(text):
            return text if read_dateline(text) is None else None
    return None


def _day_above(blocks: Sequence[Block], reasons: Sequence[Message | None], title: str | None) -> date | None:
    """Return the day in a short line above the main content.

    The line is between the page's heading and its main content, or right above the heading.
    """
    first = reasons.index(None)
    headings = [number for number, block in enumerate(blocks[: first + 2]) if title and same_text(block.text, title)]
    start = headings[-1] if headings else max(0, first - 4)
    for number in [*range(start, first + 2), *range(start - 1, max(0, start - 4) - 1, -1)]:
        if number < len(blocks) and len(blocks[number].text.split()) <= 14 and (day := find_date(blocks[number].text)):
            dateline = read_dateline(blocks[number].text)
            if dateline is None or dateline.label != "crawled":  # "Hôm nay: …" is the page's clock
                return dateline.day if dateline else day
    return None
