"""Laws of the text analysis, tried on invented Vietnamese and on arbitrary text.

What only holds for one example is in tests/cases; what holds for every text is here.
"""

import datetime
import math
import re
import time
import unicodedata
from itertools import accumulate, pairwise, product

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from htxsearch.errors import QuerySyntaxError
from htxsearch.query.parse import MAX_LENGTH, Group, Number, Quoted, Words, parse
from htxsearch.search.highlight import excerpt, highlights
from htxsearch.text.abbreviations import learn
from htxsearch.text.analysis import analyse
from htxsearch.text.date_mentions import date_mentions
from htxsearch.text.dates import find_date, read_dateline
from htxsearch.text.document_numbers import document_numbers
from htxsearch.text.figures import agree, figures
from htxsearch.text.normalize import (
    canonical_spelling,
    folded_form,
    has_diacritics,
    index_term,
    keeps_diacritics,
    nfc,
    strip_diacritics,
)
from htxsearch.text.passages import is_heading, passages
from htxsearch.text.places import (
    canonical_place,
    find_districts,
    find_provinces,
    former_parts,
    place_extent,
    place_names,
    provinces,
    similar_province,
)
from htxsearch.text.query_dates import date_range
from htxsearch.text.regions import region_called
from htxsearch.text.segmenter import word_spans
from htxsearch.text.sentences import Span, lines, sentences
from htxsearch.text.stopwords import is_stop_word
from htxsearch.text.tokens import Token, piece_tokens, terms, tokens
from htxsearch.text.tokens import pieces as token_pieces

laws = settings(max_examples=100)
slow_laws = settings(laws, max_examples=40)
"""The same for laws that need the segmenter or long texts."""

# Invented Vietnamese: syllables from their parts, the tone mark on any of the vowels, then running text.

TONES = ["", "\u0300", "\u0301", "\u0303", "\u0309", "\u0323"]
ONSETS = "_ b c ch d đ g gh gi h k kh l m n ng ngh nh ph qu r s t th tr v x".replace("_", "").split(" ")
VOWELS = "a ă â e ê i o ô ơ u ư y oa oe uy ai ay ao eo ia iê oai uyê uya uôi ươ ươi ưa yê".split()
CODAS = "_ c ch m n ng nh p t".replace("_", "").split(" ")


def spelt(onset: str, vowels: str, coda: str, tone: str) -> list[str]:
    """Return one syllable with its tone mark on each of its vowels in turn: spellings of the same."""
    return [unicodedata.normalize("NFC", onset + vowels[:at] + tone + vowels[at:] + coda) for at in range(1, len(vowels) + 1)]


def is_pronounceable(onset: str, vowels: str) -> bool:
    """Tell apart what no syllable has: gi before i or y, qu before u or ư."""
    return not (onset == "gi" and vowels[0] in "iy") and not (onset == "qu" and vowels[0] in "uư")


SPELLINGS = [spelt(*parts) for parts in product(ONSETS, VOWELS, CODAS, TONES) if is_pronounceable(*parts[:2])]
spellings = st.sampled_from(SPELLINGS)
syllables = st.sampled_from([written for same in SPELLINGS for written in same])
numbers = st.sampled_from(["7", "07", "1.264", "240,2", "6,694", "2019", "30kg", "5%", "30/6/2023", "2021-2025"])
names = st.sampled_from("461/QĐ-TTg|56-KL/TW|TP. Huế|ThS.|HTX|(TĐC)|VietGAP|hợp tác xã|Bà Rịa - Vũng Tàu".split("|"))
pieces = st.one_of(syllables, syllables, syllables, syllables.map(str.capitalize), syllables.map(str.upper), numbers, names)
joints = st.sampled_from(
    [*[" "] * 5, ", ", ". ", "; ", ": ", "… ", "? ", '" ', " (", ") ", "-", "–", "/", "\n", "\n\n", "\u00a0"]
)


@st.composite
def vietnamese(draw: st.DrawFn) -> str:
    """Running text of up to thirty pieces with punctuation and line breaks anywhere."""
    return "".join(piece + joint for piece, joint in draw(st.lists(st.tuples(pieces, joints), max_size=30)))


@st.composite
def article(draw: st.DrawFn) -> str:
    """A body of paragraphs, some under a heading, long enough for several passages."""
    cycle = "sáng nay bà con trong xóm rủ nhau ra đồng be bờ giữ nước rồi cùng về ăn cơm".split()
    blocks = []
    for _ in range(draw(st.integers(1, 5))):
        if draw(st.booleans()):
            blocks.append(draw(st.sampled_from(["Đường ra chợ", "2. Mục tiêu cụ thể.", "Các hộ được chọn gồm:"])))
        parts = draw(st.lists(st.tuples(st.integers(3, 120), st.sampled_from(".!…;,")), min_size=1, max_size=4))
        said = (" ".join(cycle[at % len(cycle)] for at in range(size)).capitalize() + mark for size, mark in parts)
        blocks.append(" ".join(said) + " Hết đoạn.")
    return "\n".join(blocks)


anything = st.text(max_size=200)
texts = st.one_of(vietnamese(), anything)


def parts_of(text: str, spans: list[Span]) -> list[str]:
    return [text[start:end] for start, end in spans]


def nfd(text: str) -> str:
    return unicodedata.normalize("NFD", text)


# Spelling


@laws
@given(st.one_of(syllables, anything, st.from_regex(r"[0-9]{1,4}([.,][0-9]{1,4}){0,3}", fullmatch=True)))
@example("0000.000,0")
@example("01.000.000")
def test_the_normal_form_is_stable(written: str) -> None:
    once = canonical_spelling(written)
    assert canonical_spelling(once) == once
    assert unicodedata.is_normalized("NFC", once)


@laws
@given(st.one_of(syllables, anything))
def test_the_normal_form_has_the_same_key(written: str) -> None:
    assert folded_form(canonical_spelling(written)) == folded_form(written)


@laws
@given(spellings)
def test_tone_marks_on_any_vowel_have_the_same_canonical_spelling(same: list[str]) -> None:
    assert len({canonical_spelling(written) for written in same}) == 1
    assert len({canonical_spelling(written.upper()) for written in same}) == 1
    assert {canonical_spelling(written.upper()).lower() for written in same} == {
        canonical_spelling(written) for written in same
    }


@laws
@given(syllables)
def test_a_syllable_composed_or_not_is_the_same(written: str) -> None:
    assert (index_term(nfd(written)), canonical_spelling(nfd(written)), folded_form(nfd(written))) == (
        index_term(written),
        canonical_spelling(written),
        folded_form(written),
    )


@laws
@given(syllables)
def test_a_key_is_unmarked_small_and_its_own_key(written: str) -> None:
    assert folded_form(written).isascii()
    assert not has_diacritics(folded_form(written))
    assert folded_form(folded_form(written)) == folded_form(written)


@laws
@given(spellings, st.data())
def test_diacritics_may_be_left_out_but_not_changed(same: list[str], data: st.DataObject) -> None:
    written = data.draw(st.sampled_from(same))
    assert keeps_diacritics(folded_form(written), written)
    assert keeps_diacritics(written, written)
    if has_diacritics(canonical_spelling(written)) and folded_form(written) != canonical_spelling(written):
        assert not keeps_diacritics(written, folded_form(written))


@laws
@given(anything)
def test_fold_leaves_no_mark(text: str) -> None:
    assert strip_diacritics(strip_diacritics(text)) == strip_diacritics(text)
    assert not set("đĐ") & set(strip_diacritics(text))


@laws
@given(syllables)
def test_stop_words_are_compared_by_canonical_spelling(written: str) -> None:
    assert is_stop_word(written) == is_stop_word(canonical_spelling(written)) == is_stop_word(nfd(written))


# Syllables


@laws
@given(texts)
def test_tokens_are_spans_in_order(text: str) -> None:
    at = 0
    for start, end, found in tokens(text):
        assert at <= start < end <= len(text)
        assert index_term(text[start:end]) == found
        assert not re.search(r"[\s_]", found)
        at = end


@laws
@given(texts)
def test_terms_and_places_are_those_of_the_tokens(text: str) -> None:
    assert terms(text) == [token.term for token in tokens(text)]
    parts = token_pieces(text)
    assert list(map(len, parts)) == list(map(len, text.split(" ")))
    starts = accumulate((len(part) + 1 for part in parts), initial=0)
    placed = [
        Token(start + token.start, start + token.end, token.term)
        for start, piece in zip(starts, piece_tokens(parts), strict=False)
        for token in piece
    ]
    assert placed == list(tokens(text))


@laws
@given(texts)
def test_every_letter_and_digit_is_in_a_token(text: str) -> None:
    left = list(text)
    for start, end, _ in tokens(text):
        left[start:end] = " " * (end - start)
    assert not re.search(r"[^\W_]", "".join(left))


@laws
@given(vietnamese())
def test_a_decomposed_text_has_the_same_terms_at_the_same_letters(text: str) -> None:
    apart = nfd(text)
    composed, decomposed = tokens(text), tokens(apart)
    assert [token.term for token in decomposed] == [token.term for token in composed]
    assert [nfc(apart[t.start : t.end]) for t in decomposed] == [text[t.start : t.end] for t in composed]


@laws
@given(texts)
def test_document_numbers_are_runs_of_tokens(text: str) -> None:
    starts, ends = {t.start for t in tokens(text)}, {t.end for t in tokens(text)}
    for start, end, found, *_ in document_numbers(text):
        assert start in starts
        assert end in ends
        assert found.split("_") == [t.term for t in tokens(text) if start <= t.start and t.end <= end]


# Lines, sentences, passages


def assert_each_token_once(text: str, spans: list[Span]) -> None:
    """Check that the spans are in order, disjoint, trimmed, and together hold every token."""
    at = 0
    for start, end in spans:
        assert at <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
        at = end
    inside = [Token(t.start + start, t.end + start, t.term) for start, end in spans for t in tokens(text[start:end])]
    assert inside == list(tokens(text))


@laws
@given(st.one_of(texts, article()))
def test_lines_sentences_and_passages_hold_every_token_once(text: str) -> None:
    assert_each_token_once(text, lines(text))
    assert_each_token_once(text, sentences(text))
    assert_each_token_once(text, passages(text))


@laws
@given(st.one_of(texts, article()))
def test_a_sentence_spans_no_line_break(text: str) -> None:
    assert not any("\n" in sentence for sentence in parts_of(text, sentences(text)))


@laws
@given(st.one_of(vietnamese(), article()))
def test_a_passage_begins_and_ends_with_a_sentence_unless_one_is_too_long(text: str) -> None:
    units = sentences(text)
    assume(all(len(tokens(unit)) <= 160 for unit in parts_of(text, units)))
    found = passages(text)
    assert {start for start, _ in found} <= {start for start, _ in units}
    assert {end for _, end in found} <= {end for _, end in units}


@laws
@given(article())
def test_no_passage_but_the_last_ends_in_a_heading(text: str) -> None:
    for passage in parts_of(text, passages(text)[:-1]):
        last = passage.split("\n")[-1]
        assert not is_heading(last, len(tokens(last)))


@laws
@given(article())
def test_passages_of_an_article_are_neither_tiny_nor_endless(text: str) -> None:
    sizes = [len(tokens(passage)) for passage in parts_of(text, passages(text))]
    assert max(sizes) <= 320
    assert len(sizes) == 1 or min(sizes) >= 20


@laws
@given(article())
def test_a_text_and_its_decomposed_form_have_the_same_passages(text: str) -> None:
    assert [nfc(passage) for passage in parts_of(nfd(text), passages(nfd(text)))] == parts_of(text, passages(text))


# Words


@slow_laws
@given(texts.map(nfc))
def test_words_are_spans_in_order_within_lines(text: str) -> None:
    at = 0
    for start, end in word_spans(text):
        assert at <= start < end <= len(text)
        assert not re.search(r"[\n\r]", text[start:end])
        at = end


@slow_laws
@given(st.one_of(texts, article()).map(nfc))
def test_no_syllable_is_lost_by_analysis(text: str) -> None:
    spans = passages(text)
    found = analyse(text, spans)
    assert len(found) == len(spans)
    assert [syllable for part in found for syllable in part.syllables] == [token.term for token in tokens(text)]


@slow_laws
@given(vietnamese().map(nfc))
def test_words_are_made_of_neighbouring_syllables(text: str) -> None:
    for part in analyse(text, passages(text)):
        run = f" {' '.join(part.syllables)} "
        assert all(f" {word.replace('_', ' ')} " in run for word in part.words)
        assert all("_" in word for word in part.words)


# Figures, dates, places, abbreviations


number_words = st.sampled_from(
    [*"hai năm mươi mười trăm nghìn tỷ linh tư lăm rưỡi từ đến gần không quá chưa trở lên hộ % 5 1.000 2,5 - – / .".split()]
)


@laws
@given(st.one_of(texts.map(nfc), st.lists(number_words, max_size=12).map(" ".join)))
def test_figures_are_ordered_spans_that_agree_with_themselves(text: str) -> None:
    found = figures(text)
    assert all(one.end <= following.start for one, following in pairwise(found))
    for one in found:
        assert 0 <= one.start <= one.number < one.end <= len(text)
        assert 0 <= one.low <= one.high
        assert agree(one, one)
        assert all(agree(one, other) == agree(other, one) for other in found)


@laws
@given(texts)
def test_dates_are_read_or_not_but_never_wrongly(text: str) -> None:
    found = read_dateline(text)
    assert found is None or found.has_weekday or found.day == find_date(text)
    days = date_range(text)
    assert days is None or days[0] <= days[1]


@laws
@given(st.dates(datetime.date(1900, 1, 1), datetime.date(2099, 12, 31)))
def test_every_day_can_be_written_in_four_ways(day: datetime.date) -> None:
    spelled = f"ngày {day.day} tháng {day.month} năm {day.year}"
    written = [f"{day:%d/%m/%Y}", f"{day.day}-{day.month}-{day.year}", day.isoformat(), spelled]
    assert {find_date(one) for one in written} == {day}
    assert [found and found.day for found in map(read_dateline, written)] == [day] * len(written)
    assert {date_range(one) for one in written[:3]} == {(day, day)}


@laws
@given(texts)
def test_places_are_provinces_within_the_text(text: str) -> None:
    at = 0
    for start, end, place, _ in find_provinces(text):
        assert at <= start < end <= len(text)
        assert place in provinces()
        assert canonical_place(text[start:end]) == place
        at = end


@pytest.mark.parametrize("province", provinces())
def test_a_province_is_known_however_it_is_typed(province: str) -> None:
    spellings = [province, nfd(province), province.upper(), key_of(province), f"tỉnh {province}", f"tinh {key_of(province)}"]
    assert {canonical_place(one) for one in spellings} == {province}
    assert [mention.province for mention in find_provinces(f"bà con tỉnh {province} trồng chè")] == [province]


@laws
@given(texts)
def test_districts_are_within_the_text(text: str) -> None:
    at = 0
    for start, end, place, _ in find_districts(text):
        assert at <= start < end <= len(text)
        assert place in provinces()
        at = end


@pytest.mark.parametrize("name", place_names())
def test_every_offered_place_name_has_its_extent(name: str) -> None:
    bare = name.removesuffix(" (cũ)")
    region = region_called(name)
    if region:
        assert place_extent(name).places == (region.name, *region.provinces)
        assert len(region.provinces) >= 4
        return
    assert place_extent(name).places == (former_parts(name) or (name,) if bare == name else (bare,))
    assert similar_province(name[:-1]) is not None


def key_of(name: str) -> str:
    return " ".join(folded_form(token.term) for token in tokens(name))


def test_63_provinces_became_34() -> None:
    assert len(provinces()) == 63
    assert len(set(provinces().values())) == 34
    assert all(canonical_place(today) == today for today in provinces().values())


@laws
@given(texts)
def test_a_found_long_form_has_a_syllable_for_each_letter(text: str) -> None:
    for short, long in learn(text):
        assert [strip_diacritics(token.term[0]) for token in tokens(long)] == list(strip_diacritics(short).lower())


# Highlights and excerpts


@laws
@given(texts, st.data())
def test_highlights_are_disjoint_runs_of_whole_syllables(text: str, data: st.DataObject) -> None:
    found = [token.term for token in tokens(text)]
    runs = [tuple(found[at : at + length]) for at in range(len(found)) for length in (1, 2, 3)]
    marks = data.draw(st.sets(st.sampled_from([*runs, ("không",), ("ở", "đâu")]), max_size=4))
    starts, ends = {t.start for t in tokens(text)}, {t.end for t in tokens(text)}
    at = 0
    for start, end in highlights(text, marks):
        assert at <= start < end <= len(text)
        assert start in starts
        assert end in ends
        at = end


@laws
@given(texts, st.data())
def test_highlights_are_marked(text: str, data: st.DataObject) -> None:
    found = tokens(text)
    assume(found)
    at = data.draw(st.integers(0, len(found) - 1))
    run = found[at : at + data.draw(st.integers(2, 3))]
    assume(len(run) > 1)  # a lone syllable may be a piece of a name, and so may be the first or last of a run
    edges = (run[0].start, run[-1].end)
    assume(not any(place.start < edge < place.end for place in find_provinces(text) for edge in edges))
    spans = highlights(text, {tuple(token.term for token in run)})
    assert all(any(start <= token.start and token.end <= end for start, end in spans) for token in run)


@laws
@given(st.one_of(texts, article()), st.integers(1, 400), st.data())
def test_an_excerpt_is_a_run_of_whole_sentences(text: str, length: int, data: st.DataObject) -> None:
    assume(sentences(text))
    marked = [Span(t.start, t.end) for t in data.draw(st.sets(st.sampled_from(tokens(text) or [Token(0, 1, "")]), max_size=5))]
    start, end = excerpt(text, sorted(marked), length=length)
    inside = [unit for unit in sentences(text) if start <= unit.start and unit.end <= end]
    assert (inside[0].start, inside[-1].end) == (start, end)
    assert end - start <= length or len(inside) == 1


@laws
@given(article(), st.data())
def test_an_excerpt_shows_a_marked_syllable(text: str, data: st.DataObject) -> None:
    token = data.draw(st.sampled_from(tokens(text)))
    start, end = excerpt(text, [Span(token.start, token.end)], length=200)
    assert start <= token.start
    assert token.end <= end


# Queries

operators = st.sampled_from([*'()"“”+-*:?', " OR ", " AND ", "NOT ", "title:", "date:", "place:", "nguồn:", "..", "2019"])
queries = st.one_of(anything, st.lists(st.one_of(operators, pieces, joints), max_size=25).map("".join))


@settings(laws, max_examples=400)
@given(queries)
@example("")
@example("chè " * MAX_LENGTH)
@example("\0")
def test_a_query_is_read_or_refused_with_its_column(query: str) -> None:
    read = tree_or_error(query)
    if isinstance(read, Group):
        assert read.clauses
    else:
        assert 0 <= read.column <= len(read.query)
        assert read.reason.strip()
        assert read.query == nfc(query) or nfc(query).startswith(read.query.removesuffix("…"))


@pytest.mark.parametrize("query", ["(" * 900 + "chè" + ")" * 900, "(" * 1900, "(chè OR " * 240 + "ong" + ")" * 240])
def test_a_deeply_nested_query_is_read_or_refused(query: str) -> None:
    assert isinstance(tree_or_error(query), Group | QuerySyntaxError)


def tree_or_error(query: str) -> Group | QuerySyntaxError:
    try:
        return parse(query)
    except QuerySyntaxError as error:
        return error


@laws
@given(st.lists(syllables, min_size=1, max_size=12))
def test_natural_text_is_never_an_error(typed: list[str]) -> None:
    [clause] = parse(" ".join(typed)).clauses
    assert clause.occur == "should"
    assert isinstance(clause.operand, Words | Quoted | Number)
    assert clause.operand.terms == tuple(map(index_term, typed))


@laws
@given(
    st.lists(st.one_of(syllables, st.sampled_from(["OR", "+chè", '"mật ong"', "(ong sả)", "nguồn:sả"])), min_size=1, max_size=8)
)
def test_a_query_typed_composed_or_not_is_the_same(typed: list[str]) -> None:
    composed, decomposed = tree_or_error(" ".join(typed)), tree_or_error(nfd(" ".join(typed)))
    if isinstance(composed, Group):
        assert decomposed == composed
    else:
        assert isinstance(decomposed, QuerySyntaxError)
        assert decomposed.reason == composed.reason


date_pieces = st.sampled_from(
    "ngày |tháng |năm |quý |7|30|2|12|2019|2025|/|-|. |, | |từ |đến |và |đầu |cuối |giai đoạn |nay |hôm qua |II|6 tháng đầu "
    "|phấn đấu |nhiệm kỳ |trong 3 năm |sẽ |461/QĐ-TTg |\n|İ".split("|")
)


@laws
@given(st.one_of(texts, st.lists(date_pieces, max_size=30).map("".join)), st.one_of(st.none(), st.dates()))
def test_dates_in_a_text_are_spans_in_order(text: str, published: datetime.date | None) -> None:
    text = nfc(text)
    found = date_mentions(text, published=published)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(one.end <= other.start for one, other in pairwise(found))
    for one in found:
        assert (one.first is None) == (one.last is None)
        assert one.first is None or one.last is None or one.first <= one.last
        assert text[one.start : one.end].strip() == text[one.start : one.end]
    settled = {one[:4] for one in date_mentions(text) if one.first}
    assert settled <= {one[:4] for one in found}, "a day of publication moves no date that is written in full"


@pytest.mark.parametrize(
    "piece", ["1", "1/", "1-", "năm ", "ngày 1", "tháng 1 đến ", "năm 2019, ", "1/2/2020 ", "quý i", "từ 1/A-"]
)
def test_dates_are_found_in_linear_time(piece: str) -> None:
    def seconds(length: int) -> float:
        text = (piece * length)[:length]
        best = math.inf
        for _ in range(3):
            started = time.process_time()
            date_mentions(text)
            best = min(best, time.process_time() - started)
        return best

    assert seconds(50_000) < 40 * seconds(5_000) + 0.1, "ten times the text takes about ten times as long, not a hundred times"
