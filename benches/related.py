"""Measure `related` on judged clusters of news, plain TF-IDF beside it in the same run.

    python benches/related.py --data ../shared/data [--distractors 5000] [--index DIR] [--json]

395 articles in 123 hand-made clusters (same event = related) among distractors. For every clustered
article the others are ranked: P@1 is the share whose first neighbour is of the same event; MAP@10 is
trec_eval's average precision over the first ten, divided by the number of relevant articles (at most
ten), both before the line below which nothing is shown (`htxsearch eval FILE --task related` measures
that, too). The baseline is scikit-learn's TfidfVectorizer over syllables, cosine.
"""

import argparse
import json
import lzma
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from htxsearch import Index
from htxsearch.text.tokens import tokens

Article = dict[str, Any]


def read_articles(data: Path, distractors: int) -> tuple[list[Article], list[Article]]:
    """Return the judged articles and the distractors."""
    lines = (data / "eval/related-events.jsonl").read_text("utf-8").splitlines()
    judged = [json.loads(line) for line in lines]
    with lzma.open(data / "news/news-20k.jsonl.xz", "rt", encoding="utf-8") as news:
        others = [json.loads(line) for line in islice(news, distractors)]
    return judged, others


def measure(judged: Sequence[Article], neighbours: Callable[[Article], list[str]]) -> dict[str, float]:
    """Return P@1 and MAP@10 over the articles whose cluster has another member."""
    clusters: dict[str, set[str]] = defaultdict(set)
    for article in judged:
        clusters[article["event"]].add(article["id"])
    first, precision = [], []
    for article in judged:
        relevant = clusters[article["event"]] - {article["id"]}
        if relevant:
            ranked = neighbours(article)[:10]
            hits = [one in relevant for one in ranked]
            first.append(float(hits[0]) if hits else 0.0)
            found = [sum(hits[: at + 1]) / (at + 1) for at, hit in enumerate(hits) if hit]
            precision.append(sum(found) / min(len(relevant), 10))
    return {"P@1": sum(first) / len(first), "MAP@10": sum(precision) / len(precision), "queries": len(first)}


def plain_tfidf(articles: Sequence[Article]) -> Callable[[Article], list[str]]:
    """Return the baseline's neighbours of an article."""
    import numpy as np
    from sklearn.feature_extraction.text import TfidfVectorizer

    rows = TfidfVectorizer(analyzer=lambda text: [token.term for token in tokens(text)], norm="l2").fit_transform(
        f"{article['title']}\n{article['text']}" for article in articles
    )
    ids = [article["id"] for article in articles]
    at = {one: number for number, one in enumerate(ids)}

    def neighbours(article: Article) -> list[str]:
        scores = np.asarray((rows @ rows[at[article["id"]]].T).todense()).ravel()
        scores[at[article["id"]]] = -1
        return [ids[number] for number in np.argsort(-scores, kind="stable")[:10]]

    return neighbours


def through_index(articles: Sequence[Article], index: Index) -> Callable[[Article], list[str]]:
    """Return htxsearch's neighbours of an article; builds the index first."""
    index.corpus.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps({k: one[k] for k in ("id", "title", "text")}, ensure_ascii=False) for one in articles)
    (index.corpus / "articles.jsonl").write_text("\n".join(lines), "utf-8")
    index.update()
    return lambda article: [one.article_id for one in index.related(article["id"], all_near=True).related]


def folders(index: str | None) -> Iterator[Path]:
    """Yield the folder to work in: the one named, which is kept, or a temporary one."""
    if index:
        yield Path(index)
    else:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)


def main() -> None:
    """Run both and print the measures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with eval/ and news/")
    parser.add_argument("--distractors", type=int, default=5000)
    parser.add_argument("--index", help="keep the index in this folder and use it again")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    judged, others = read_articles(options.data, options.distractors)
    articles = [*judged, *others]
    measures = {"plain TF-IDF": measure(judged, plain_tfidf(articles))}
    for folder in folders(options.index):
        with Index(folder / "index", corpus=folder / "corpus") as index:
            measures["htxsearch"] = measure(judged, through_index(articles, index))
    if options.json:
        print(json.dumps(measures, indent=2))
    else:
        for name, row in measures.items():
            print(f"{name:14} P@1 {row['P@1']:.3f}  MAP@10 {row['MAP@10']:.3f}  ({row['queries']:.0f} articles)")


if __name__ == "__main__":
    main()
