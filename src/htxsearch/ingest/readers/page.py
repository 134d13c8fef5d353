"""Saved web pages."""

import html
import json
import re
from collections.abc import Iterator, Sequence, Set
from datetime import date
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any

from htxsearch.ingest.article import Dropped
from htxsearch.ingest.boilerplate import is_prose, sort_lines
from htxsearch.ingest.hosts import host_of
from htxsearch.ingest.metadata import Metadata, Unreadable
from htxsearch.ingest.readers.base import ParsedDocument, same_text, take_stamps
from htxsearch.ingest.readers.blocks import Block, blocks_of
from htxsearch.ingest.readers.main_content import reasons_of
from htxsearch.text.dates import find_date, read_dateline
from htxsearch.text.normalize import folded_form, nfc
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
"""A site's name, not a title that begins like one (Báo cáo …)."""
_BETWEEN = re.compile(r"\s+[-–—|:»«›>•·/]+\s+|\s*\|\s*")
_TITLED = re.compile(r"(?<![a-z])(?:title|tieu-?de|headline|heading)(?![a-z])", re.IGNORECASE)
_MONTHS = b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
_SAVED = re.compile(rb"saved date:\s*\w+ (%s) (\d{1,2}) (\d{4})" % b"|".join(_MONTHS))


def read_page(data: bytes) -> Iterator[ParsedDocument]:
    """A saved page: its story's text without the site around it, and what its head says of title, day, author and site.

    Raises Unreadable if there is no story in it.
    """
    import trafilatura

    root = trafilatura.load_html(data)
    if root is None:
        raise Unreadable("no article text was found in the page")
    said = _said(root)
    blocks = blocks_of(root)
    voted = nfc(trafilatura.extract(root, include_comments=False, include_tables=True) or "")
    reasons = reasons_of(blocks, voted, None, said.get("description"))
    if None not in reasons:
        raise Unreadable("no article text was found in the page")
    title = _title(said, blocks, reasons.index(None))
    reasons = reasons_of(blocks, voted, title, said.get("description"))
    if None not in reasons:
        raise Unreadable("there is a title in the page, but no article text was found")
    lines = [one.text for one, reason in zip(blocks, reasons, strict=True) if reason is None]
    known = Metadata(
        title=title,
        date=find_date(said.get("date", "")) or _day_above(blocks, reasons, title),
        source=_site(said, title) or host_of(said.get("url", "")) or None,
        url=said.get("url"),
        author=_author(said),
        crawled=_saved(data),
    )
    return iter([_draft(lines, known, _grouped(blocks, reasons))])


def _draft(lines: Sequence[str], said: Metadata, around: tuple[Dropped, ...], learnt: Set[str] = frozenset()) -> ParsedDocument:
    sorting = sort_lines(lines, learnt)
    known = take_stamps(sorting, said)
    return ParsedDocument(
        "\n".join(sorting.kept()),
        known,
        dropped=sorting.dropped() + around,
        lines=tuple(sorting.lines),
        again=partial(_draft, tuple(lines), said, around),
    )


def _grouped(blocks: Sequence[Block], reasons: Sequence[str | None]) -> tuple[Dropped, ...]:
    """Return what was left out, neighbours with the same reason together, a line for each block."""
    rows = zip(reasons, blocks, strict=True)
    return tuple(
        Dropped("\n".join(one.text for _, one in group), reason)
        for reason, group in groupby(rows, lambda row: row[0])
        if reason
    )


# What a page's head says


def _said(root: "HtmlElement") -> dict[str, str]:
    """Return headline, opengraph, window (titles all), description, date, author, site and url, as far as the page says them.

    Sources: JSON-LD (schema.org), OpenGraph, HTML's own metadata.
    """
    metas: dict[str, str] = {}
    for one in root.iter("meta"):
        name = one.get("property") or one.get("name") or one.get("itemprop")
        if name and one.get("content"):
            metas.setdefault(name.lower(), one.get("content"))
    data = _linked_data(root)
    canonical = next((one.get("href", "") for one in root.iter("link") if one.get("rel") == "canonical"), "")
    publisher, author = data.get("publisher"), data.get("author")
    choices = {
        "headline": [data.get("headline"), metas.get("og:title"), metas.get("twitter:title")],
        "opengraph": [metas.get("og:title")],
        "window": [next(("".join(one.itertext()) for one in root.iter("title")), None)],
        "description": [metas.get("og:description"), metas.get("description"), data.get("description")],
        "date": [data.get("datePublished"), *(metas.get(one) for one in _DATES)],
        "author": [_name(author), metas.get("article:author"), metas.get("author"), metas.get("dc.creator")],
        "site": [metas.get("og:site_name"), _name(publisher), metas.get("author") if not author else None],
        "url": [canonical, metas.get("og:url"), data.get("url")],
    }
    said = {}
    for name, values in choices.items():
        texts = [nfc(" ".join(html.unescape(html.unescape(one)).split())) for one in values if isinstance(one, str)]
        if any(texts):
            said[name] = next(text for text in texts if text)
    if not said.get("url", "http").startswith("http"):
        del said["url"]
    return said


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
    """Return the first article that the page describes as JSON-LD; what cannot be read is passed over."""
    for script in root.iter("script"):
        if script.get("type") != "application/ld+json":
            continue
        try:
            found = json.loads(script.text or "", strict=False)
        except (ValueError, RecursionError):  # other people's templates: many are not quite JSON
            continue
        graph = found.get("@graph", found) if isinstance(found, dict) else found
        for one in graph if isinstance(graph, list) else [graph]:
            kind = str(one.get("@type")) if isinstance(one, dict) else ""
            if "Article" in kind or "BlogPosting" in kind:
                return dict(one)
    return {}


def _name(one: object) -> str | None:
    """Return the name of a person or organisation in JSON-LD."""
    if isinstance(one, list):
        return ", ".join(filter(None, map(_name, one))) or None
    found = one.get("name") if isinstance(one, dict) else one
    return found if isinstance(found, str) else _name(found) if isinstance(found, list) else None


def _saved(data: bytes) -> date | None:
    """Return the day that SingleFile's comment says the page was saved on; parsing drops comments."""
    found = _SAVED.search(data[:4096])
    day = found and f"{found[2].decode()}/{_MONTHS.index(found[1]) + 1}/{found[3].decode()}"
    return find_date(day) if day else None


def _author(said: dict[str, str]) -> str | None:
    """Return the author if it is a person's name, not an address, an account or the site."""
    author = said.get("author")
    if not author or "/" in author or "." in author or " " not in author or _SITE.fullmatch(author):
        return None
    site = said.get("site")
    return None if site and same_text(author, site) else author


def _site(said: dict[str, str], title: str | None) -> str | None:
    site = said.get("site")
    return None if site and title and same_text(site, title) else site


# The title


def _title(said: dict[str, str], blocks: Sequence[Block], first: int) -> str | None:
    """Return the heading above the story that the page's head agrees with most, else what the head says without the site."""
    site = said.get("site")
    titles = [said[name] for name in ("headline", "opengraph", "window") if name in said]
    told = [title for title in (_without_site(title, site) for title in titles) if title]
    parts = [part for title in titles for part in _BETWEEN.split(title)]
    best, height = None, 0
    for number, one in enumerate(blocks[: first + 2]):
        likely = 3 <= len(one.text.split()) <= 40 and one.linked < 0.5 and not _names_site(one.text, site)
        if not likely or read_dateline(one.text) is not None:
            continue
        agrees = 4 * any(same_text(one.text, other) for other in told) or 3 * any(same_text(one.text, part) for part in parts)
        looks = (one.kind == "heading") + (one.element.tag == "h1") + bool(_TITLED.search(one.names))
        if agrees + looks and agrees + looks >= height and (agrees or number >= first - 12):
            best, height = one.text, agrees + looks
    if best and (height >= 4 or not told or _share(best, told[0]) >= 0.5):
        return best
    return told[0] if told else best or _line_above(blocks, first)


def _without_site(told: str, site: str | None) -> str | None:
    """Return a title without parts at its ends that name the site, None if it is nothing else."""
    cuts = list(_BETWEEN.finditer(told))
    start, end = 0, len(told)
    for cut in reversed(cuts):
        if not _names_site(told[cut.end() : end], site):
            break
        end = cut.start()
    for cut in cuts:
        if cut.start() >= end or not _names_site(told[start : cut.start()], site):
            break
        start = cut.end()
    rest = told[start:end].strip()
    return None if not rest or _names_site(rest, site) or len(rest.split()) < 4 else rest


def _names_site(part: str, site: str | None) -> bool:
    return bool(_SITE.fullmatch(part.strip())) or (site is not None and same_text(part, site))


def _share(one: str, other: str) -> float:
    """Return how much of the shorter of two texts is in the other, by syllables."""
    first, second = ({folded_form(term) for term in terms(text)} for text in (one, other))
    return len(first & second) / max(1, min(len(first), len(second)))


def _line_above(blocks: Sequence[Block], first: int) -> str | None:
    """Return the nearest line above the story that could be a title, on a page that says nothing else."""
    for one in reversed(blocks[max(0, first - 6) : first]):
        if 4 <= len(one.text.split()) <= 30 and one.linked < 0.5 and not is_prose(one.text) and not _SITE.fullmatch(one.text):
            return one.text if read_dateline(one.text) is None else None
    return None


def _day_above(blocks: Sequence[Block], reasons: Sequence[str | None], title: str | None) -> date | None:
    """Return the day that a short line between the page's heading and its story says, or one right above the heading."""
    first = reasons.index(None)
    headings = [n for n, one in enumerate(blocks[: first + 2]) if title and same_text(one.text, title)]
    start = headings[-1] if headings else max(0, first - 4)
    for number in [*range(start, first + 2), *range(start - 1, max(0, start - 4) - 1, -1)]:
        if number < len(blocks) and len(blocks[number].text.split()) <= 14 and (day := find_date(blocks[number].text)):
            found = read_dateline(blocks[number].text)
            if found is None or found.label != "crawled":  # "Hôm nay: …" is the page's clock
                return found.day if found else day
    return None
