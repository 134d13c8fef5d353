"""The reader: logits of windows, the best spans of sentences, other readers, and what happens without one."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from tokenizers import Tokenizer

from answer.readers import write_tiny_reader
from htxsearch import Index
from htxsearch.answer import pipeline
from htxsearch.answer.checks import CHECKS
from htxsearch.answer.reader.model import OWN_READER, Reader, ReadWindow
from htxsearch.answer.reader.spans import best_spans
from htxsearch.answer.scorer import CONFIDENCE_FEATURES, AnswerModel, answer_model
from htxsearch.cli.main import cli
from htxsearch.errors import ReaderUnavailable
from htxsearch.text.sentences import Span

sys.path.append(str(Path(__file__).parents[2] / "scripts"))
from reader_training.examples import TrainingWindow, encoded  # the scripts are no package

QUESTION = "HTX Suối Vàng có bao nhiêu thành viên?"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reader")
    (folder / "corpus").mkdir()
    text = "HTX Suối Vàng ra mắt\n\nHTX Suối Vàng ở xã Tân Lập có 34 thành viên. Vườn chè rộng 21 ha.\n"
    (folder / "corpus" / "a.txt").write_text(text, "utf-8")
    with Index(folder / "index", corpus=folder / "corpus") as index:
        index.update(workers=1)
    return folder


def index_of(corpus: Path, reader: Path | None = None) -> Index:
    return Index(corpus / "index", corpus=corpus / "corpus", reader=reader)


# Logits


def test_the_spans_of_tokens_are_those_of_the_text_behind_the_context_line(tmp_path: Path) -> None:
    reader = Reader(write_tiny_reader(tmp_path, start={"34": 9.0}))
    (window,) = reader.read("bao nhiêu?", [("Tựa có 34", "Nay có 34 hộ.")])
    assert [("Nay có 34 hộ.")[start:end] for start, end in window.spans] == ["Nay", "có", "34", "hộ", "."]
    assert window.start.tolist() == [-5.0, -5.0, 9.0, -5.0, -5.0]


def test_windows_of_other_lengths_do_not_change_each_other(tmp_path: Path) -> None:
    reader = Reader(write_tiny_reader(tmp_path, start={"34": 9.0, "21": 4.0}))
    texts = [("", "Có 34 hộ."), ("", "Vườn chè của HTX rộng đến 21 ha, trồng từ lâu.")]
    together, alone = reader.read("?", texts), [reader.read("?", [text])[0] for text in texts]
    assert [one.start.tolist() for one in together] == [one.start.tolist() for one in alone]


def test_a_text_cannot_imitate_the_separator(tmp_path: Path) -> None:
    reader = Reader(write_tiny_reader(tmp_path, start={"34": 9.0}, about={"separator": "<cut>"}))
    (window,) = reader.read("<cut>", [("tựa <cut> 34", "Có <cut> 34 hộ.")])
    assert [("Có <cut> 34 hộ.")[start:end] for start, end in window.spans][-3:] == ["34", "hộ", "."]


def test_no_window_is_no_reading(tmp_path: Path) -> None:
    assert Reader(tmp_path / "nothing").read("?", []) == []


def test_a_long_text_is_cut_and_a_text_of_blanks_has_no_tokens(tmp_path: Path) -> None:
    reader = Reader(write_tiny_reader(tmp_path, start={"34": 9.0}))
    long, blank = reader.read("?", [("", "từ " * 5000), ("", " \n ")])
    assert 0 < len(long.start) < 400
    assert len(blank.start) == 0


@pytest.mark.parametrize("question", ["½ " * 500, "Москва " * 200, "hợp tác xã là gì " * 50, "x" * 5000, "\u0301" * 900, ""])
def test_a_long_question_leaves_the_window_its_tokens(question: str) -> None:
    (read,) = Reader(OWN_READER).read(question, [("Tựa", "Thôn có 34 hộ nuôi ong.")])
    assert read.spans
    assert read.spans[-1][1] == len("Thôn có 34 hộ nuôi ong.")


def test_training_joins_question_context_and_text_as_the_reader_does() -> None:
    question, context, text = "Thôn có bao nhiêu hộ?", "Nghề ong · 03/02/2021 · Thái Nguyên", "Thôn có 34 hộ nuôi ong."
    tokenizer = Tokenizer.from_file(str(OWN_READER / "tokenizer.json"))
    separator = json.loads((OWN_READER / "reader.json").read_text("utf-8"))["separator"]
    trained = encoded(tokenizer, question, TrainingWindow(context, text, ((8, 13),), own=True))
    assert tokenizer.encode(question, f"{context}{separator}{text}").ids == trained.ids
    (read,) = Reader(OWN_READER).read(question, [(context, text)])
    assert len(read.spans) == trained.last - trained.first
    ((first, last),) = trained.spans
    assert (read.spans[first - trained.first][0], read.spans[last - trained.first][1]) == (8, 13)


def test_a_text_cannot_write_a_special_piece() -> None:
    tokenizer = Tokenizer.from_file(str(OWN_READER / "tokenizer.json"))
    special = {0, 1, 2, 3}
    assert special.isdisjoint(tokenizer.encode("<s> a</s> b <pad> <unk>c", add_special_tokens=False).ids)


# Spans


def window(start: list[float], end: list[float], nowhere: float = 0.0) -> ReadWindow:
    """Return a window of words of two letters with a blank between them."""
    spans = [(3 * n, 3 * n + 2) for n in range(len(start))]
    return ReadWindow(np.array(start, np.float32), np.array(end, np.float32), spans, nowhere / 2, nowhere / 2)


def test_the_best_span_of_each_sentence_lies_in_it() -> None:
    both = window([5, 0, 4, 0], [0, 5, 0, 4])
    (((first, *_), (second, *_)),), _ = best_spans([both], [[Span(0, 5), Span(6, 11)]])
    assert (first.start, first.end, second.start, second.end) == (0, 5, 6, 11)
    assert first.log_chance > second.log_chance


def test_a_span_never_ends_before_it_begins() -> None:
    (((span, *_),),), _ = best_spans([window([0, 9], [9, 0])], [[Span(0, 5)]])
    assert span.start < span.end


def test_chances_of_all_windows_and_of_no_answer_are_shares_of_one_sum() -> None:
    """Two windows of one token each: 3 times as likely as nothing, and as likely."""
    found, nowhere = best_spans([window([math.log(3)], [math.log(3)]), window([0.0], [0.0])], [[Span(0, 2)], [Span(0, 2)]])
    (one,), (other,) = found[0][0], found[1][0]
    assert math.exp(one.log_chance) == pytest.approx((3 / 6) ** 2)
    assert math.exp(other.log_chance) == pytest.approx((1 / 6) ** 2)
    assert math.exp(nowhere) == pytest.approx(2 / 6)
    assert one.margin == pytest.approx(2 * math.log(3))


def test_the_second_span_has_no_character_in_common_with_the_best() -> None:
    (((span, second, third),),), _ = best_spans([window([9, 8, 3], [9, 8, 3])], [[Span(0, 8)]])
    assert [(one.start, one.end) for one in (span, second, third)] == [(0, 2), (3, 5), (6, 8)]
    assert span.second == second.log_chance == pytest.approx(span.log_chance - 2, abs=1e-6)
    assert second.second == span.log_chance


def test_a_sentence_without_tokens_has_no_span() -> None:
    assert best_spans([window([1.0], [1.0])], [[Span(50, 60)]])[0] == [[[]]]


# Confidence


def test_checks_can_only_lower_the_confidence() -> None:
    assert {name: weight for name in CHECKS if (weight := answer_model().confidence[name]) > 0} == {}


def test_the_confidence_is_a_logistic_function_of_the_features() -> None:
    names = dict.fromkeys(CONFIDENCE_FEATURES, 0.0)
    model = AnswerModel({"sentence": {}, "choice": {}, "confidence": {**names, "constant": 0.0, "gap": 2.0}, "threshold": 0.5})
    assert model.chance([0.0] * len(names)) == 0.5
    one = [float(name == "gap") for name in CONFIDENCE_FEATURES]
    assert model.chance(one) == pytest.approx(1 / (1 + math.exp(-2)))


def test_every_feature_of_the_confidence_has_a_weight() -> None:
    assert set(answer_model().confidence) == {"constant", *CONFIDENCE_FEATURES}
    assert len(set(CONFIDENCE_FEATURES)) == len(CONFIDENCE_FEATURES)


# Another reader


def test_another_reader_decides_which_span_is_quoted(corpus: Path, tmp_path: Path) -> None:
    words = {"34": 20.0, "21": 2.0}
    for name, start, end in (
        ("number", {"34": 20.0}, {"viên": 20.0}),
        ("land", {"21": 20.0}, {"ha": 20.0}),
        ("bare", words, words),
    ):
        write_tiny_reader(tmp_path / name, start=start, end=end)
    asked = {name: index_of(corpus, tmp_path / name).ask(QUESTION).best for name in ("number", "land", "bare")}
    assert {name: best and best.text for name, best in asked.items()} == {
        "number": "34 thành viên",
        "land": "21 ha",
        "bare": "34 thành viên",
    }


def test_a_reader_that_sees_nothing_makes_the_answer_less_likely(corpus: Path, tmp_path: Path) -> None:
    sure = write_tiny_reader(tmp_path / "sure", start={"34": 12.0}, end={"viên": 12.0})
    doubting = write_tiny_reader(tmp_path / "doubting", start={"34": 12.0}, end={"viên": 12.0}, nowhere=60.0)
    one, other = (index_of(corpus, reader).ask(QUESTION).best for reader in (sure, doubting))
    assert one is not None
    assert other is not None
    assert one.confidence > other.confidence


def test_the_command_takes_another_reader(corpus: Path, tmp_path: Path) -> None:
    write_tiny_reader(tmp_path / "r", start={"21": 20.0}, end={"ha": 20.0})
    folders = ["--index", str(corpus / "index"), "--corpus", str(corpus / "corpus")]
    result = CliRunner().invoke(cli, ["ask", QUESTION, "--reader", str(tmp_path / "r"), *folders])
    assert result.exit_code == 0
    assert "21 ha" in result.output


# Without a reader


@pytest.mark.parametrize(
    "spoilt", ["absent", "no model", "no tokenizer", "model", "tokenizer", "outputs", "inputs", "NaN", "sum", "about"]
)
def test_a_reader_that_cannot_be_used_is_named(spoilt: str, corpus: Path, tmp_path: Path) -> None:
    folder = tmp_path / "reader"
    if spoilt != "absent":
        outputs = ("x", "y") if spoilt == "outputs" else ("start_logits", "end_logits")
        inputs = ("input_ids", "position_ids") if spoilt == "inputs" else ("input_ids",)
        logit = math.nan if spoilt == "NaN" else 9.0
        write_tiny_reader(folder, start={"34": logit}, outputs=outputs, inputs=inputs)
    if spoilt in ("no model", "no tokenizer"):
        (folder / {"no model": "model.onnx", "no tokenizer": "tokenizer.json"}[spoilt]).unlink()
    if spoilt in ("model", "tokenizer"):
        (folder / {"model": "model.onnx", "tokenizer": "tokenizer.json"}[spoilt]).write_bytes(b"\x00 spoilt")
    if spoilt == "sum":
        (folder / "reader.json").write_text('{"sha256": {"model.onnx": "00"}}', "utf-8")
    if spoilt == "about":
        (folder / "reader.json").write_text("{", "utf-8")
    with pytest.raises(ReaderUnavailable) as raised:
        index_of(corpus, folder).ask(QUESTION)
    assert str(folder) in str(raised.value)
    assert "Traceback" not in str(raised.value)


def test_without_its_own_reader_ask_quotes_the_nearest_sentence_and_says_why(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "OWN_READER", tmp_path / "nothing")
    found = index_of(corpus).ask(QUESTION)
    assert found.answer is None
    assert found.best is not None
    assert found.best.text == "HTX Suối Vàng ở xã Tân Lập có 34 thành viên."
    assert "reader.missing" in [hint.code for hint in found.hints]
    assert "ask.no-answer" not in [hint.code for hint in found.hints]
    assert found.passages


def test_the_program_ends_with_a_clear_error_if_the_named_reader_is_missing(corpus: Path, tmp_path: Path) -> None:
    folders = ["--index", str(corpus / "index"), "--corpus", str(corpus / "corpus"), "--reader", str(tmp_path / "none")]
    command = [sys.executable, "-m", "htxsearch", "ask", QUESTION, *folders]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 2
    assert "--reader" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_query_loads_neither_reader_nor_runtime(corpus: Path) -> None:
    code = (
        "import sys; from htxsearch import Index\n"
        f"with Index({str(corpus / 'index')!r}, corpus={str(corpus / 'corpus')!r}) as index: index.search('chè')\n"
        "print([name for name in ('onnxruntime', 'tokenizers', 'htxsearch.answer') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"


# The product's own


def test_the_own_reader_is_whole_and_small() -> None:
    assert sum(path.stat().st_size for path in OWN_READER.iterdir()) < 35_000_000
    (window_,) = Reader(OWN_READER).read("Có bao nhiêu hộ?", [("", "Thôn có 34 hộ nuôi ong.")])
    (((span, *_),),), _ = best_spans([window_], [[Span(0, 23)]])
    assert "34" in "Thôn có 34 hộ nuôi ong."[span.start : span.end]
