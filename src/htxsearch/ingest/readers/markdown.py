"""Markdown files and their front matter.

Short, and a module of its own as the owner of markdown-it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from htxsearch.errors.messages import message
from htxsearch.ingest.article import Dropped
from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.base import ParsedDocument, decode, document_of_lines, same_words
from htxsearch.ingest.readers.markup import markup_lines

__all__ = ["read_markdown"]


def read_markdown(data: bytes) -> Iterator[ParsedDocument]:
    """Yield the article of a Markdown file.

    The first heading is its title; each block becomes a line without markup. An item of a numbered list keeps its number.
    """
    from markdown_it import MarkdownIt

    text, known, dropped = _front_matter(decode(data))
    lines: list[str] = []
    title = known.title
    number = ""
    row: list[str] = []
    kind = ""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type.endswith("_open"):
            kind = token.type
            number = f"{token.info}{token.markup} " if kind == "list_item_open" and token.info else number
        elif token.type == "tr_close":
            lines.append(" | ".join(row))
            row = []
        elif token.type == "html_block":
            lines += markup_lines(token.content)
        elif token.type in ("fence", "code_block"):
            lines.append(token.content.strip())
        elif token.type == "inline":
            content = _inline_text(token.children or [])
            if kind == "heading_open" and title is None:
                title = content
            elif kind == "heading_open" and not lines and same_words(title or "", content):
                dropped += (Dropped(content, message("dropped.title-again")),)
            elif kind in ("th_open", "td_open"):
                row.append(content)
            else:
                lines.append(number + content)
                number = ""
    parsed = document_of_lines(lines, Metadata(title=title).or_else(known))
    yield replace(parsed, dropped=dropped + parsed.dropped, heading=title)


def _inline_text(children: Sequence[object]) -> str:
    parts = []
    for child in children:
        kind, content = getattr(child, "type", ""), getattr(child, "content", "")
        if kind in ("text", "code_inline", "image"):
            parts.append(content)
        elif kind in ("softbreak", "hardbreak") or (kind == "html_inline" and content.startswith("<br")):
            parts.append(" ")
    return "".join(parts).strip()


def _front_matter(text: str) -> tuple[str, Metadata, tuple[Dropped, ...]]:
    """Split simple "key: value" front matter off.

    Anything else between the --- lines is dropped.
    """
    match = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    if not match:
        return text, Metadata(), ()
    fields = [(line, *line.partition(":")[::2]) for line in match.group(1).split("\n")]
    known = Metadata.of({key.strip(): value.strip().strip("\"'") for _, key, value in fields})
    others = (
        Dropped(line.strip(), message("dropped.field", field=key.strip()))
        for line, key, value in fields
        if line.strip() and not known.shows(key.strip(), value)
    )
    return text[match.end() :], known, tuple(others)
