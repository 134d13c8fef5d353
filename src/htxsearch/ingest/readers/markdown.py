"""Markdown files and their front matter.

Short, and a module of its own as the owner of markdown-it.
"""

import re
from collections.abc import Iterator, Sequence

from htxsearch.ingest.metadata import Metadata
from htxsearch.ingest.readers.base import ParsedDocument, decode, document_of_lines, same_text

__all__ = ["read_markdown"]


def read_markdown(data: bytes) -> Iterator[ParsedDocument]:
    """Yield the article of a Markdown file.

    The first heading is its title; each block becomes a line without markup.
    """
    from markdown_it import MarkdownIt

    text, known = _front_matter(decode(data))
    lines: list[str] = []
    title = known.title
    row: list[str] = []
    kind = ""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        if token.type.endswith("_open"):
            kind = token.type
        elif token.type == "tr_close":
            lines.append(" | ".join(row))
            row = []
        elif token.type in ("fence", "code_block"):
            lines.append(token.content.strip())
        elif token.type == "inline":
            content = _inline_text(token.children or [])
            if kind == "heading_open" and (title is None or (not lines and same_text(title, content))):
                title = title or content
            elif kind in ("th_open", "td_open"):
                row.append(content)
            else:
                lines.append(content)
    yield document_of_lines(lines, Metadata(title=title).or_else(known))


def _inline_text(children: Sequence[object]) -> str:
    parts = []
    for child in children:
        kind, content = getattr(child, "type", ""), getattr(child, "content", "")
        if kind in ("text", "code_inline", "image"):
            parts.append(content)
        elif kind in ("softbreak", "hardbreak"):
            parts.append(" ")
    return "".join(parts).strip()


def _front_matter(text: str) -> tuple[str, Metadata]:
    """Split simple "key: value" front matter off.

    Anything else between the --- lines is ignored.
    """
    match = re.match(r"---\n(.*?)\n---\n", text, re.DOTALL)
    if not match:
        return text, Metadata()
    pairs = (line.partition(":") for line in match.group(1).split("\n"))
    values: dict[str, object] = {key.strip(): value.strip().strip("\"'") for key, _, value in pairs}
    return text[match.end() :], Metadata.of(values)
