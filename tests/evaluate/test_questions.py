"""The judged questions of our own: every answer is in the sentence and the article that its row names."""

import json
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from htxsearch.evaluate.answers import left_out_questions, read_questions
from htxsearch.evaluate.folds import read_left_out
from htxsearch.evaluate.judged import read_judged_set
from htxsearch.ingest.article import Article
from htxsearch.ingest.corpus import articles_of, source_files
from htxsearch.text.normalize import nfc, strip_diacritics

ROOT = Path(__file__).resolve().parents[2]
EVALS = ROOT / "evals"
CORPUS = ROOT / "corpus"
MEASURED = ("questions", "contrast", "encyclopedia")
SETS = (*MEASURED, "contrast-training", "encyclopedia-training")
KINDS = {
    *("number", "money", "percent", "date", "person", "org", "place", "document", "object"),
    *("definition", "reason", "manner", "list", "yesno", "title", "other"),
}

each_set = pytest.mark.parametrize("name", SETS)


def rows(name: str, file: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (EVALS / name / file).read_text("utf-8").splitlines()]


def grades(name: str) -> Iterator[tuple[str, str]]:
    for line in (EVALS / name / "qrels.tsv").read_text("utf-8").splitlines()[1:]:
        query, article, grade = line.split("\t")
        assert grade == "1"
        yield query, article


@cache
def texts(name: str) -> dict[str, str]:
    """Return the title and text of each article of a set."""
    if name == "questions":
        read = [one for file in source_files(CORPUS)[0] for one in articles_of(file)]
        return {one.id: f"{one.title}\n{one.body}" for one in read if isinstance(one, Article)}
    return {row["_id"]: f"{row['title']}\n{row['text']}" for row in rows(name, "corpus.jsonl")}


@each_set
def test_answers_are_literal_spans_of_the_sentence_and_the_article(name: str) -> None:
    for row in rows(name, "queries.jsonl"):
        about = row["metadata"]
        assert about["answers"], row
        assert about["sentence"] in texts(name)[about["gold"]], row
        assert [one for one in about["answers"] if not one or one not in about["sentence"]] == [], row


@each_set
def test_ids_and_texts_are_unique_and_every_article_is_asked_about(name: str) -> None:
    every = rows(name, "queries.jsonl") + rows(name, "unanswerable.jsonl")
    for values in ([row["_id"] for row in every], [" ".join(row["text"].lower().split()) for row in every]):
        assert [value for value, times in Counter(values).items() if times > 1] == []
    graded = list(grades(name))
    assert len(set(graded)) == len(graded)
    assert {article for _, article in graded} == set(texts(name))


@each_set
def test_a_relevant_article_holds_the_answer(name: str) -> None:
    questions = {row["_id"]: row["metadata"] for row in rows(name, "queries.jsonl")}
    judged = set(grades(name))
    assert {query for query, _ in judged} == set(questions)
    assert [one for one, about in questions.items() if (one, about["gold"]) not in judged] == []
    for query, article in judged:
        body = texts(name)[article].lower()
        assert any(answer.lower() in body for answer in questions[query]["answers"]), (query, article)


@each_set
def test_unanswerable_questions_have_no_answers(name: str) -> None:
    for row in rows(name, "unanswerable.jsonl"):
        assert not row["metadata"].keys() & {"answers", "sentence", "gold"}, row


@each_set
def test_every_question_has_its_other_forms_and_a_known_kind(name: str) -> None:
    for row in rows(name, "queries.jsonl") + rows(name, "unanswerable.jsonl"):
        about = row["metadata"]
        assert nfc(row["text"]) == row["text"], row
        assert about["kind"] in KINDS, row
        assert about["short"], row
        assert about["unaccented"] == strip_diacritics(about["unaccented"]), row


@each_set
def test_a_wrong_answer_that_tempts_stands_in_an_article_and_is_no_right_one(name: str) -> None:
    everything = "\n".join(texts(name).values())
    for row in rows(name, "queries.jsonl") + rows(name, "unanswerable.jsonl"):
        about = row["metadata"]
        for trap in about.get("must_not", ()):
            assert trap in everything, row
            assert trap not in about.get("answers", ()), row


def test_the_sets_have_their_size_and_their_mix() -> None:
    for name, least, unanswerable in (
        ("questions", 500, 0.25),
        ("contrast", 2500, 0.3),
        ("encyclopedia", 1300, 0.2),
        ("contrast-training", 1500, 0.25),
        ("encyclopedia-training", 1500, 0.2),
    ):
        answered, nothing = (len(rows(name, file)) for file in ("queries.jsonl", "unanswerable.jsonl"))
        assert answered >= least
        assert nothing / (answered + nothing) >= unanswerable
    kinds = Counter(row["metadata"]["kind"] for name in SETS for row in rows(name, "unanswerable.jsonl"))
    assert len(kinds) >= 12


def test_most_contrast_questions_are_in_groups_that_have_an_answer_and_none() -> None:
    groups: dict[str, list[bool]] = defaultdict(list)
    for file in ("queries.jsonl", "unanswerable.jsonl"):
        for row in rows("contrast", file):
            if "group" in row["metadata"]:
                groups[row["metadata"]["group"]].append(file == "queries.jsonl")
    assert len(groups) >= 700
    assert sum(any(own) and not all(own) for own in groups.values()) / len(groups) > 0.6


@pytest.mark.parametrize("name", MEASURED)
def test_a_third_of_the_documents_is_left_out_of_training(name: str) -> None:
    listed = read_left_out(EVALS / name)
    documents = set(texts(name))
    left_out = documents & listed
    assert 0.2 <= len(left_out) / len(documents) <= 0.42
    assert all(zlib.crc32(document.encode()) % 3 == 0 for document in left_out) or name != "questions"
    gold = defaultdict(set)
    for query, article in grades(name):
        gold[query].add(article)
    # No group of questions is divided between training and the rest.
    groups: dict[str, set[bool]] = defaultdict(set)
    for file in ("queries.jsonl", "unanswerable.jsonl"):
        for row in rows(name, file):
            outside = not listed.isdisjoint(gold[row["_id"]] or {row["_id"]})
            groups[row["metadata"].get("group", row["_id"])].add(outside)
            if file == "unanswerable.jsonl" and "article" in row["metadata"]:
                assert outside is (row["metadata"]["article"] in listed), row
    assert [group for group, sides in groups.items() if len(sides) > 1] == []


def test_the_sets_for_training_measure_nothing() -> None:
    for name in set(SETS) - set(MEASURED):
        judged = read_judged_set(EVALS / name, CORPUS)
        assert judged.left_out == frozenset()
        assert left_out_questions(judged, read_questions(EVALS / name, judged)) == frozenset()


@each_set
def test_eval_reads_the_set(name: str) -> None:
    judged = read_judged_set(EVALS / name, CORPUS)
    questions = read_questions(EVALS / name, judged)
    assert len(judged.queries) == len(rows(name, "queries.jsonl"))
    assert all({"short", "hurried"} >= forms.keys() for forms in judged.own_forms.values())
    assert len(questions) == len(judged.queries) + len(rows(name, "unanswerable.jsonl"))
