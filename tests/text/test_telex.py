"""Raw keystrokes: what the keyboard sends when the input method is off."""

import pytest
from command import DEMO

from htxsearch.query.telex import from_keystrokes, to_telex
from htxsearch.text.normalize import canonical_spelling, is_syllable
from htxsearch.text.tokens import tokens


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("hopwj", "hợp"),
        ("howpj", "hợp"),
        ("tacs", "tác"),
        ("xax", "xã"),
        ("ho75p", "hợp"),
        ("ta1c", "tác"),
        ("xa4", "xã"),
        ("dduwowcj", "được"),
        ("d9u7o7c5", "được"),
        ("nguyeenx", "nguyễn"),
        ("nguyenex", "nguyễn"),
        ("quoocs", "quốc"),
        ("hoaf", "hòa"),
        ("hoanf", "hoàn"),
        ("xoawn", "xoăn"),
        ("nuocws", "nước"),
        ("mu7a", "mưa"),
    ],
)
def test_telex_and_vni_are_read(typed: str, meant: str) -> None:
    assert from_keystrokes(typed) == meant


@pytest.mark.parametrize("typed", ["thai", "nguyen", "htx", "2019", "t5", "xã", "london", "h5n1", ""])
def test_other_text_is_not_read_as_keystrokes(typed: str) -> None:
    assert from_keystrokes(typed) is None


def test_every_syllable_of_the_demo_corpus_survives_the_keyboard() -> None:
    text = " ".join(path.read_text("utf-8") for path in sorted(DEMO.rglob("*.txt")))
    syllables = {token.term for token in tokens(text) if is_syllable(token.term)}
    assert len(syllables) > 1_000
    lost = {one for one in syllables if canonical_spelling(from_keystrokes(to_telex(one)) or one) != canonical_spelling(one)}
    assert not lost
