"""The judged questions about the demo corpus: every answer is in the sentence and the article that its row names."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from htxsearch.evaluate.answers import read_questions
from htxsearch.evaluate.folds import in_left_out_third, read_left_out
from htxsearch.evaluate.judged import read_judged_set
from htxsearch.ingest.article import Article
from htxsearch.ingest.corpus import articles_of, source_files
from htxsearch.text.normalize import nfc, strip_diacritics

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = ROOT / "evals" / "questions"
CORPUS = ROOT / "corpus"
KINDS = {"number", "person", "org", "place", "date", "document", "definition", "reason", "manner", "list", "yesno", "other"}


def rows(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (QUESTIONS / name).read_text("utf-8").splitlines()]


def grades() -> Iterator[tuple[str, str]]:
    for line in (QUESTIONS / "qrels.tsv").read_text("utf-8").splitlines()[1:]:
        query, article, grade = line.split("\t")
        assert grade == "1"
        yield query, article


@pytest.fixture(scope="module")
def bodies() -> dict[str, str]:
    read = [one for file in source_files(CORPUS)[0] for one in articles_of(file)]
    return {one.id: one.body for one in read if isinstance(one, Article)}


def test_answers_are_literal_spans_of_the_sentence_and_the_article(bodies: dict[str, str]) -> None:
    for row in rows("queries.jsonl"):
        about = row["metadata"]
        assert about["answers"], row
        assert about["sentence"] in bodies[about["gold"]], row
        assert [one for one in about["answers"] if not one or one not in about["sentence"]] == [], row


def test_ids_and_texts_are_unique_and_every_article_is_asked_about(bodies: dict[str, str]) -> None:
    every = rows("queries.jsonl") + rows("unanswerable.jsonl")
    for values in ([row["_id"] for row in every], [" ".join(row["text"].lower().split()) for row in every]):
        assert [value for value, times in Counter(values).items() if times > 1] == []
    graded = list(grades())
    assert len(set(graded)) == len(graded)
    assert {article for _, article in graded} == set(bodies)


def test_a_relevant_article_holds_the_answer(bodies: dict[str, str]) -> None:
    questions = {row["_id"]: row["metadata"] for row in rows("queries.jsonl")}
    judged = set(grades())
    assert {query for query, _ in judged} == set(questions)
    assert [one for one, about in questions.items() if (one, about["gold"]) not in judged] == []
    for query, article in judged:
        body = bodies[article].lower()
        assert any(answer.lower() in body for answer in questions[query]["answers"]), (query, article)


def test_unanswerable_questions_have_no_answers() -> None:
    for row in rows("unanswerable.jsonl"):
        assert not row["metadata"].keys() & {"answers", "sentence", "gold"}, row


def test_every_question_has_its_other_forms_and_a_known_kind() -> None:
    for row in rows("queries.jsonl") + rows("unanswerable.jsonl"):
        about = row["metadata"]
        assert row["text"].endswith("?"), row
        assert nfc(row["text"]) == row["text"], row
        assert about["kind"] in KINDS, row
        assert about["short"] not in ("", row["text"]), row
        assert about["unaccented"] == strip_diacritics(about["unaccented"]), row


def test_the_set_has_its_size_and_its_mix_of_kinds() -> None:
    kinds = Counter(row["metadata"]["kind"] for row in rows("queries.jsonl"))
    assert kinds.total() >= 200
    assert 0.35 <= kinds["number"] / kinds.total() <= 0.45
    assert set(kinds) == KINDS
    assert len(rows("unanswerable.jsonl")) >= 60


def test_a_third_of_the_documents_is_left_out_of_training() -> None:
    listed = read_left_out(QUESTIONS)
    ids = {article for _, article in grades()} | {row["_id"] for row in rows("unanswerable.jsonl")}
    assert listed == {name for name in ids if in_left_out_third(name)}
    asked = {query for query, article in grades() if article in listed}
    assert 0.25 <= len(asked) / len(rows("queries.jsonl")) <= 0.4


def test_eval_reads_the_set() -> None:
    judged = read_judged_set(QUESTIONS, CORPUS)
    questions = read_questions(QUESTIONS, judged)
    assert len(judged.queries) == len(rows("queries.jsonl"))
    assert all(forms.keys() == {"short", "hurried"} for forms in judged.own_forms.values())
    assert len(questions) == len(judged.queries) + len(rows("unanswerable.jsonl"))
