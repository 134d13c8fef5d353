"""Write the training questions over real news as a judged set.

    python scripts/judged_training_set.py ../shared/data build/htxqa-train

Reads train/htxqa-train.jsonl and the news it asks about in the data folder. Other news are added, among which the right article
has to be found. Questions about an article that a set kept for measuring asks about are left out. The text of the news is for
measuring and learning only: the set stays in a folder that git ignores.
"""

import argparse
import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_OTHERS = 1500  # news that no question asks about
_MEASURED = ("contrast-dev", "htxqa-dev")


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the JSON value of each line of a plain or compressed file."""
    with lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


def main() -> None:
    """Read the questions and news, write corpus, queries and judgements."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    measured = {
        line.split("\t")[1]
        for name in _MEASURED
        for line in (options.data / "eval" / name / "qrels.tsv").read_text("utf-8").splitlines()[1:]
    }
    questions = [row for row in json_lines(options.data / "train/htxqa-train.jsonl") if row["article"] not in measured]
    wanted = {row["article"] for row in questions}
    news = list(json_lines(options.data / "news/htx-news.jsonl.xz"))
    others = 0
    for article in json_lines(options.data / "news/news-20k.jsonl.xz"):
        if article["id"] in wanted or others < _OTHERS:
            others += article["id"] not in wanted
            news.append(article)
    options.out.mkdir(parents=True, exist_ok=True)

    def write(name: str, rows: list[dict[str, Any]]) -> None:
        (options.out / name).write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), "utf-8")

    write("corpus.jsonl", [{"_id": one["id"], "title": one.get("title") or "", "text": one["text"]} for one in news])
    write("queries.jsonl", [as_query(row) for row in questions if row["answers"]])
    write("unanswerable.jsonl", [as_query(row) for row in questions if not row["answers"]])
    judged = [f"{row['id']}\t{row['article']}\t1" for row in questions if row["answers"]]
    (options.out / "qrels.tsv").write_text("\n".join(["query-id\tcorpus-id\tscore", *judged]) + "\n", "utf-8")
    print(f"{options.out}: {len(questions)} questions, {len(news)} news")


def as_query(row: dict[str, Any]) -> dict[str, Any]:
    """Return a training question as a line of a judged set."""
    about = {name: row[name] for name in ("kind", "unaccented", "short")}
    if row["answers"]:
        about |= {"answers": [answer["text"] for answer in row["answers"]], "sentence": row["sentence"], "gold": row["article"]}
    else:
        about["article"] = row["article"]
    return {"_id": row["id"], "text": row["question"], "metadata": about}


if __name__ == "__main__":
    main()
