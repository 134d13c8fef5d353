"""Make the collection that every engine indexes.

It has articles, passages as token numbers, and queries drawn from them.
"""

import json
import lzma
import random
import re
from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

from htxsearch.errors import UsageError
from htxsearch.ingest.article import Article
from htxsearch.ingest.corpus import articles_of, source_files
from htxsearch.text.normalize import nfc
from htxsearch.text.passages import passages
from htxsearch.text.sentences import sentences
from htxsearch.text.stopwords import is_stop_word
from htxsearch.text.tokens import tokens

__all__ = ["BenchCollection", "collect", "read_articles", "synthetic_articles"]

_STEPS = (2_000, 20_000, 80_000)
_LENGTHS = range(2, 9)
"""Syllables of a query: as people type, from two words to a short question."""


@dataclass(frozen=True, slots=True)
class BenchCollection:
    """Articles and their passages, as numbers of tokens.

    The number of a token is the position of its term in `vocabulary`.
    The tokens of passage p are `tokens[offsets[p] : offsets[p + 1]]`; `owners[p]` is the first passage of its
    article. A query is a row of different tokens; `texts` are the same queries as a person would type them.
    """

    source: str
    synthetic: bool
    articles: Sequence[Article]
    vocabulary: Sequence[str]
    tokens: "array[int]"
    offsets: "array[int]"
    owners: "array[int]"
    queries: Sequence[tuple[int, ...]]
    texts: Sequence[str]

    @property
    def passages(self) -> int:
        """The number of passages."""
        return len(self.owners)

    def sizes(self, wanted: Sequence[int] = ()) -> list[int]:
        """Return the sizes to measure at, ascending.

        They are those given, or the usual steps up to the whole.
        Raises UsageError for a size above the number of passages.
        """
        return _sizes(self.passages, wanted)

    def as_json(self) -> dict[str, Any]:
        """Return source and counts as JSON values."""
        return {
            "source": self.source,
            "synthetic": self.synthetic,
            "articles": len(self.articles),
            "passages": self.passages,
            "syllables": len(self.tokens),
            "queries": len(self.queries),
        }

    def write(self, folder: Path) -> None:
        """Write the files that a worker reads.

        They are passages.txt (owner, tab, tokens), vocabulary.txt and queries.json.
        """
        with (folder / "passages.txt").open("w", encoding="ascii") as file:
            for number, owner in enumerate(self.owners):
                own = self.tokens[self.offsets[number] : self.offsets[number + 1]]
                file.write(f"{owner}\t{' '.join(map(str, own))}\n")
        (folder / "vocabulary.txt").write_text("\n".join(self.vocabulary), "utf-8")
        (folder / "queries.json").write_text(json.dumps(self.queries), "utf-8")


def read_articles(path: Path, limit: int) -> list[Article]:
    """Return the first articles of a .jsonl or .jsonl.xz file.

    They have a title and a text. Raises UsageError.
    """
    articles = []
    try:
        with lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else path.open(encoding="utf-8") as file:
            for number, line in enumerate(islice(file, limit)):
                row = json.loads(line)
                title, body = nfc(row.get("title") or ""), nfc(row["text"])
                articles.append(Article(id=f"{number:07}", title=title, body=body, path=path.name))
    except OSError as error:
        raise UsageError("bench.unreadable", path=str(path), detail=str(error.strerror)) from error
    except (ValueError, KeyError, TypeError, AttributeError, lzma.LZMAError) as error:
        raise UsageError("bench.not-articles", path=str(path), detail=repr(error)) from error
    return articles


def synthetic_articles(corpus: Path, count: int, seed: int = 1) -> list[Article]:
    """Make articles of the corpus folder's syllables, with frequencies by Zipf's law.

    The r-th most frequent syllable has the weight 1 / (r + 2.7) (B. Mandelbrot, "An informational theory of the
    statistical structure of language", 1953). The same corpus, count and seed give the same articles.
    """
    counts: Counter[str] = Counter()
    for file in source_files(corpus)[0]:
        for article in articles_of(file):
            if isinstance(article, Article):
                counts.update(token.term for token in tokens(article.body))
    terms = sorted(counts, key=lambda term: (-counts[term], term))
    if not terms:
        raise UsageError("bench.no-text", corpus=str(corpus))
    weights = list(accumulate(1 / (rank + 2.7) for rank in range(1, len(terms) + 1)))
    draw = random.Random(seed)

    def sentence() -> str:
        return " ".join(draw.choices(terms, cum_weights=weights, k=draw.randint(8, 30))).capitalize() + "."

    def paragraph() -> str:
        return " ".join(sentence() for _ in range(draw.randint(2, 5)))

    made = []
    for number in range(count):
        body = "\n".join(paragraph() for _ in range(draw.randint(4, 8)))
        made.append(Article(id=f"{number:07}", title=sentence(), body=body, path="synthetic"))
    return made


def _sizes(total: int, wanted: Sequence[int]) -> list[int]:
    if wanted:
        if max(wanted) > total or min(wanted) < 1:
            raise UsageError("bench.size", total=total)
        return sorted(set(wanted))
    reached = [step for step in _STEPS if step <= total]
    whole = [total] if not reached or total > 1.1 * reached[-1] else []
    return reached + whole


def collect(
    articles: Sequence[Article], *, source: str, synthetic: bool, queries: int, sizes: Sequence[int] = (), seed: int = 1
) -> BenchCollection:
    """Divide articles into passages of syllable tokens, and draw queries from them.

    Queries are drawn from the passages of the smallest size.
    The queries are the same at every size, and the text that they were drawn from is always indexed. Raises UsageError.
    """
    numbers: dict[str, int] = {}
    flat, offsets, owners = array("i"), array("q", [0]), array("i")
    for article in articles:
        first = len(owners)
        for span in passages(article.body):
            terms = (token.term for token in tokens(article.body[span.start : span.end]))
            flat.extend(numbers.setdefault(term, len(numbers)) for term in terms)
            offsets.append(len(flat))
            owners.append(first)
    smallest = min(_sizes(len(owners), sizes)) if owners else 0
    inside = bisect_left(sorted(set(owners)), smallest)
    drawn = list(islice(_queries(articles[: max(1, inside)], numbers, random.Random(seed), queries), queries))
    if not drawn:
        raise UsageError("bench.no-query", source=source)
    return BenchCollection(
        source,
        synthetic,
        articles,
        list(numbers),
        flat,
        offsets,
        owners,
        [tuple(numbers[term] for term in query) for query in drawn],
        [" ".join(query) for query in drawn],
    )


def _queries(articles: Sequence[Article], known: dict[str, int], draw: random.Random, wanted: int) -> Iterator[tuple[str, ...]]:
    """Yield different queries.

    A query is two to eight neighbouring content syllables of a random sentence or title.
    """
    seen = set()
    for _ in range(50 * wanted):
        article = draw.choice(articles)
        text = f"{article.title}\n{article.body}"
        span = draw.choice(sentences(text) or [None])
        if span is None:
            continue
        terms = [token.term for token in tokens(text[span.start : span.end])]
        content = [term for term in terms if not is_stop_word(term) and term in known and re.search(r"\w", term)]
        length = draw.choice(_LENGTHS)
        start = draw.randint(0, max(0, len(content) - length))
        query = tuple(dict.fromkeys(content[start : start + length]))
        if len(query) >= _LENGTHS[0] and query not in seen:
            seen.add(query)
            yield query
