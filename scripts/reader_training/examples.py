"""Make training examples out of judged questions.

An example has the windows that the product's own retrieval gives for a question, and where the answer is in them.
"""

import hashlib
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from tokenizers import Tokenizer

import htxsearch.answer
from htxsearch.answer.pipeline import RetrievedContext, retrieve
from htxsearch.answer.question import plain_question
from htxsearch.answer.reader.windows import context_line, windows_around
from htxsearch.answer.scorer import answer_model
from htxsearch.answer.sentences import CandidatePassage, read_passages
from htxsearch.evaluate.answers import gold_documents, read_questions
from htxsearch.evaluate.folds import is_for_calibration
from htxsearch.evaluate.forms import own_forms_of
from htxsearch.evaluate.judged import index_of, read_judged_set
from htxsearch.search.snapshot import Snapshot, StoredArticles
from htxsearch.text.normalize import nfc
from reader_training.encoder import END, START

__all__ = ["Question", "Tokens", "collected_questions", "drawn", "encoded"]

_MODELS = Path(htxsearch.answer.__file__).parent
_WINDOWS = 8
"""Windows kept for a question, of which a pass draws a few."""
_HARD = 5
"""The best windows without the answer, of which negatives are drawn."""
_QUESTION_TOKENS, _CONTEXT_TOKENS, _TEXT_TOKENS = 48, 40, 220
_FORM_WEIGHTS = {"typed": 2.0, "hurried": 1.2, "short": 1.0}


class TrainingWindow(NamedTuple):
    """A window of text with its context line.

    `answers` are the spans of the answer in it; `own` is True if its article has an answer.
    """

    context: str
    text: str
    answers: tuple[tuple[int, int], ...]
    own: bool


class Question(NamedTuple):
    """A question in its forms, each with the windows read for it.

    A form without diacritics is read as the product reads it: with those it most likely has.
    """

    id: str
    forms: dict[str, tuple[str, tuple[TrainingWindow, ...]]]


class Tokens(NamedTuple):
    """The pieces of a question and a window. Spans lie in [first, last); `types` begin at `second`.

    `spans` are the first and last piece of each answer.
    """

    ids: list[int]
    second: int
    first: int
    last: int
    spans: list[tuple[int, int]]


def collected_questions(folder: Path, corpus: Path, keep: Path) -> list[Question]:
    """Return the questions of a judged set that the reader may read.

    Retrieval takes minutes, so they are kept in the folder `keep`; a later run takes them from there, as long as the set and
    the models of answers are the same.
    """
    sources = [*sorted(folder.glob("*.*")), _MODELS / "answers.json", _MODELS / "question_kinds.npy"]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    kept = keep / f"{folder.name}-{digest[:12]}.json"
    if not kept.exists():
        keep.mkdir(parents=True, exist_ok=True)
        part = kept.with_suffix(".part")
        part.write_bytes(msgspec.json.encode(list(_questions_of(folder, corpus))))
        part.replace(kept)
    return msgspec.json.decode(kept.read_bytes(), type=list[Question])


def _questions_of(folder: Path, corpus: Path) -> Iterator[Question]:
    """Yield the questions of a judged set that the reader may read, with the windows of each form.

    Documents that are left out, or kept for calibration, are not read, nor questions about them.
    """
    judged = read_judged_set(folder, corpus)

    def is_read(document: str) -> bool:
        return document not in judged.left_out and not is_for_calibration(document)

    with index_of(judged, None) as index:
        snapshot = index.searcher().snapshot
        for query, question in read_questions(folder, judged).items():
            gold = gold_documents(query, question, judged.qrels)
            if not judged.left_out.isdisjoint(gold or {query}):
                continue
            if is_for_calibration(min(gold or {question.get("article") or query})):
                continue
            forms = {}
            for form, text in {"typed": question["text"], **own_forms_of(question)}.items():
                found = retrieve(snapshot, plain_question(text))
                context = found._replace(passages=[own for own in found.passages if is_read(own.article)])
                answers = [nfc(answer) for answer in question["answers"]]
                windows = _windows(context, snapshot, answers, nfc(question.get("sentence") or ""), gold)
                if windows and (not answers or any(window.answers for window in windows)):
                    forms[form] = (context.asked, windows)
            if forms:
                yield Question(query, forms)


def _windows(
    context: RetrievedContext, snapshot: Snapshot, answers: Sequence[str], sentence: str, gold: frozenset[str]
) -> tuple[TrainingWindow, ...]:
    """Return the best windows of a question.

    If none of them has the answer, one of the right article that has it is added.
    """
    if context.arrays is None:
        return ()
    passages = list(context.passages)
    if answers and not any(passage.article in gold and answers[0] in passage.text for passage in passages):
        passages += _right_passages(snapshot, answers[0], gold)[:1]
    sentences = read_passages(context.arrays, context.question, passages)
    if not sentences:
        return ()
    scores = np.array([own.features for own in sentences]) @ answer_model().sentence
    order = np.argsort(-scores, kind="stable").tolist()
    found = [
        _window(passages[w.passage], w.start, w.end, answers, sentence, gold)
        for w in windows_around(sentences, order, _WINDOWS)
    ]
    if answers and not any(window.answers for window in found):
        for number, own in enumerate(sentences):
            (around,) = windows_around(sentences, [number], 1)
            passage = passages[own.passage]
            if passage.article in gold and _window(passage, own.start, own.end, answers, sentence, gold).answers:
                found.append(_window(passage, around.start, around.end, answers, sentence, gold))
                break
    return tuple(found)


def _right_passages(snapshot: Snapshot, answer: str, gold: frozenset[str]) -> list[CandidatePassage]:
    """Return the passages of the right articles that hold the answer."""
    articles, found = StoredArticles(snapshot.engine), []
    for article_id in sorted(gold & set(snapshot.engine.article_ids())):
        stored = articles[article_id]
        for number, span in enumerate(stored.passages):
            text = stored.passage(number)
            if answer in text:
                article = stored.article
                found.append(CandidatePassage(text, article.title, article_id, 0.0, span.start, article.date, article.place))
    return found


def _window(
    passage: CandidatePassage, start: int, end: int, answers: Sequence[str], sentence: str, gold: frozenset[str]
) -> TrainingWindow:
    """Return a window with the spans of the first answer that lies in the judged sentence."""
    text = passage.text[start:end]
    own = passage.article in gold
    low, high = (text.find(sentence), 0) if sentence else (0, len(text))
    if sentence:
        high = low + len(sentence)
    spans: list[tuple[int, int]] = []
    for answer in answers if own and low >= 0 else ():
        at = text.find(answer, low)
        while at >= 0 and at + len(answer) <= high:
            spans.append((at, at + len(answer)))
            at = text.find(answer, at + 1)
        if spans:
            break
    return TrainingWindow(context_line(passage), text, tuple(spans), own)


def drawn(question: Question, count: int, chance: random.Random) -> tuple[str, list[TrainingWindow]]:
    """Return a form of a question and `count` windows, drawn anew in each pass.

    One in ten questions is read without the windows that answer it: then nothing does.
    """
    names = sorted(question.forms)
    form = chance.choices(names, [_FORM_WEIGHTS[name] for name in names])[0]
    text, windows = question.forms[form]
    right = [window for window in windows if window.answers]
    rest = [window for window in windows if not window.answers][:_HARD]
    taken = []
    if right and chance.random() > 0.1:
        taken = [chance.choice(right)] if chance.random() > 0.3 else right[:2]
    near = [window for window in rest if window.own]
    negatives = [chance.choice(near)] if near and chance.random() < 0.5 else []
    others = [window for window in rest if window not in negatives]
    chance.shuffle(others)
    need = max(1, count - len(taken))
    return text, taken + (negatives + others)[:need]


def encoded(tokenizer: Tokenizer, question: str, window: TrainingWindow, *, with_context: bool = True) -> Tokens:
    """Return the pieces of a question and a window, as the product's reader joins them."""
    asked = tokenizer.encode(question, add_special_tokens=False).ids[:_QUESTION_TOKENS]
    context = tokenizer.encode(window.context, add_special_tokens=False).ids[:_CONTEXT_TOKENS] if with_context else []
    text = tokenizer.encode(window.text, add_special_tokens=False)
    pieces, offsets = text.ids[:_TEXT_TOKENS], text.offsets[:_TEXT_TOKENS]
    second = len(asked) + 3
    first = second + len(context)
    spans = []
    for start, end in window.answers:
        inside = [n for n, (a, b) in enumerate(offsets) if a < end and b > start and not window.text[a:b].isspace()]
        if inside:
            spans.append((first + inside[0], first + inside[-1]))
    ids = [START, *asked, END, END, *context, *pieces, END]
    return Tokens(ids, second, first, first + len(pieces), spans)
