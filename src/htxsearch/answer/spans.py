"""The spans of a sentence that may answer a question: runs of whole words.

Among them are the spans that fit the question. Where a sentence holds amounts, dates or percentages and these are
asked for, only spans made of one of them are offered.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from htxsearch.answer.question import FIGURES, QuestionAnalysis
from htxsearch.answer.sentences import OF_KIND, Sentence
from htxsearch.text.abbreviations import COMMON, long_form_terms
from htxsearch.text.figures import QUALIFIERS, SCALES, qualifier_before
from htxsearch.text.normalize import canonical_spelling, folded_form, is_syllable

__all__ = [
    "CATEGORIES",
    "SIGNS",
    "Bools",
    "Ints",
    "SentenceSpans",
    "fitting",
    "types_wanted",
    "written_forms",
]

_FREE = 8
"""Syllables of a span that may begin and end at any word; longer ones are whole clauses."""
_LONGEST = 45
"""Syllables of the longest span."""
_UNIT_TERMS = 7
"""Terms behind a figure that may belong to its unit: 31 hợp tác xã nông nghiệp kiểu mới."""
_LONGEST_QUALIFIER = max(map(len, QUALIFIERS))
_QUALIFIER_REACH = 8
"""Tokens before a figure in which its qualifiers are looked for: ước tính khoảng."""

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

SIGNS = {"comma": ",", "stop": ";:.!?…", "open": "([", "close": ")]", "quote": "\"“”'‘’«»", "dash": "-–—"}
"""The signs between tokens, by name."""
_CUES = {
    "là": "là",
    "của": "của",
    "and": "và cùng",
    "or": "hoặc hay",
    "in": "ở tại trong giữa",
    "time": "năm tháng ngày thế",
    "cause": "do vì bởi nhờ khiến",
    "passive": "được bị",
    "have": "có gồm",
    "for": "để cho nhằm",
    "with": "với",
    "from": "từ",
    "to": "đến tới",
    "plural": "các những mọi nhiều",
    "one": "một",
    "about": "khoảng hơn gần trên dưới ít",
    "that": "rằng mà",
    "so": "nên thì nhưng",
    "tense": "đã đang sẽ vẫn cũng",
    "not": "không chưa",
    "this": "này đó kia ấy",
    "as": "như",
    "called": "gọi tên",
    "by": "bằng",
    "on": "về theo",
    "into": "vào ra lên",
    "person": "ông bà",
    "as_": "làm thành",
}
_CUE_OF = {term: cue for cue, terms in _CUES.items() for term in terms.split()}
_TAGS = tuple("N V A R P M E C L T Nu Nc Ny X".split())
CATEGORIES = ("edge", *SIGNS, "name", "digit", *_CUES, *_TAGS, "other")
"""The categories of a token or of the sign beside it: columns of `answers.json` are named for them."""
_NUMBER_OF = {name: number for number, name in enumerate(CATEGORIES)}
_NEVER_FIRST = frozenset("của và là thì mà rằng hoặc hay nhưng bị cũng".split())
_NEVER_LAST = frozenset(
    "của và là thì mà rằng hoặc hay nhưng các những một với cho từ để do vì bởi như khi đã sẽ đang ở tại trong được bị có"
    " theo gồm".split()
)
_DENIALS = frozenset("không chưa chẳng chớ đừng".split())
_SCALES = frozenset(map(folded_form, SCALES))
_MEASURED = ("number", "money", "percent", "date", "document")
_UNITS = frozenset("htx tht hộ người tấn tạ kg ha đồng lao con cây tổ".split())
_HOW_LONG = tuple((unit,) for unit in "giây phút giờ ngày tuần tháng quý năm".split())


class SentenceSpans:
    """A sentence's tokens as arrays, and its spans.

    `first` and `last` (spans,) are the spans' tokens and `length` (spans,) their number. Per token: `capital`, `digit`,
    `joined` (continues the word before), `category`, and `before` and `behind`, the categories of its neighbours or of the
    signs between; `figure` is True for a number and its scale. `open` and the arrays of `gaps` are per gap between tokens
    (tokens + 1,): nothing but blanks, and the signs in it. `typed` are first and last token and type of each typed span.
    """

    def __init__(self, text: str, sentence: Sentence, question: QuestionAnalysis) -> None:
        self.sentence, self.question, self.text = sentence, question, text
        self.size = len(sentence.terms)
        edges = [sentence.start, *sentence.ends], [*sentence.starts, sentence.end]
        between = [text[start:end] for start, end in zip(*edges, strict=True)]
        self.gaps = {name: np.array([any(char in signs for char in gap) for gap in between]) for name, signs in SIGNS.items()}
        self.open = np.array([not gap.strip() for gap in between])
        self.capital = np.array([text[start].isupper() for start in sentence.starts])
        self.digit = np.array([text[start].isdigit() for start in sentence.starts])
        self.joined = _joined(sentence, self.capital)
        self.category = self._categories()
        self.before, self.behind = self._neighbours(-1), self._neighbours(1)
        self.terms = sentence.terms if question.marked else [folded_form(term) for term in sentence.terms]
        self.typed = list(self._typed())
        self.first, self.last = self._spans()
        self.length = self.last - self.first + 1
        digits = np.concatenate([[0], np.cumsum(self.digit)])
        self.digit_in: Bools = digits[self.last + 1] > digits[self.first]
        self.figure = self.digit.copy()
        for token in range(1, self.size):
            self.figure[token] |= self.figure[token - 1] and folded_form(sentence.terms[token]) in _SCALES

    def keep(self, kept: Bools) -> None:
        """Leave out the spans that `kept` (spans,) is False for."""
        self.first, self.last, self.length = self.first[kept], self.last[kept], self.length[kept]

    def _categories(self) -> Ints:
        categories = []
        terms, joined = self.sentence.terms, self.joined
        for token, term in enumerate(terms):
            start = end = token
            while joined[start] and start:
                start -= 1
            while end + 1 < self.size and joined[end + 1]:
                end += 1
            if self.digit[token]:
                name = "digit"
            elif self.capital[token] and token:
                name = "name"
            elif start == end and term in _CUE_OF:
                name = _CUE_OF[term]
            else:
                tag = _lexicon().get(" ".join(terms[start : end + 1]))
                name = tag or ("name" if self.capital[token] else "other")
            categories.append(_NUMBER_OF[name])
        return np.array(categories)

    def _neighbours(self, step: int) -> Ints:
        """Return the category beside each token, before (-1) or behind (1) it.

        It is that of a sign, or of the next token.
        """
        categories = []
        for token in range(self.size):
            gap = token if step < 0 else token + 1
            sign = next((name for name, there in self.gaps.items() if there[gap]), None)
            neighbour = token + step
            if sign:
                categories.append(_NUMBER_OF[sign])
            else:
                inside = 0 <= neighbour < self.size
                categories.append(int(self.category[neighbour]) if inside else _NUMBER_OF["edge"])
        return np.array(categories)

    def _typed(self) -> Iterator[tuple[int, int, str]]:
        """Yield first and last token and type of each typed span."""
        starts, ends = self.sentence.starts, self.sentence.ends
        for entity in self.sentence.typed:
            inside = [token for token in range(self.size) if starts[token] >= entity.start and ends[token] <= entity.end]
            if inside:
                yield inside[0], inside[-1], entity.type

    def _spans(self) -> tuple[Ints, Ints]:
        terms = self.sentence.terms
        first, last = np.triu_indices(self.size)
        length = last - first + 1
        signs = len(SIGNS) + 1
        opens = (self.before < signs) | ((self.before > signs + 1) & (self.before < signs + 2 + len(_CUES)))
        closes = self.behind < signs
        never_first = np.array([term in _NEVER_FIRST for term in terms]) | self.joined
        never_last = np.array([term in _NEVER_LAST for term in terms]) | np.append(self.joined[1:], False)
        denied = np.array([False, *(term in _DENIALS for term in terms[:-1])], bool) & self.open[:-1]
        keep = (length <= _LONGEST) & ~never_first[first] & ~never_last[last] & ~denied[first]
        keep &= (length <= _FREE) | (opens[first] & closes[last])
        wanted = types_wanted(self.question)
        measured = [(start, end) for start, end, type_ in self.typed if type_ in wanted and type_ in _MEASURED]
        if measured:
            keep &= self._around(measured)[first, last]
        return first[keep], last[keep]

    def _around(self, measured: list[tuple[int, int]]) -> Bools:
        """Return a mask (first, last) of the spans that are an amount or date.

        Such a span may have its qualifier in front, and a part of its unit behind.
        """
        allowed = np.zeros((self.size, self.size), bool)
        for first, last in measured:
            start, end = first - self._qualifier_size(first), last
            if self.question.kind != "date":
                while end + 1 < self.size and end - last < _UNIT_TERMS and self.open[end + 1]:
                    end += 1
            allowed[start, last : end + 1] = True  # a part of a qualifier may say the contrary: (không) vượt quá 15 %
            if "không" not in self.sentence.terms[start:first]:
                allowed[first, last : end + 1] = True
        return allowed

    def _qualifier_size(self, first: int) -> int:
        """Return the number of tokens of the qualifier in front of a figure.

        Only blanks may be between the two.
        """
        start = first
        while start and first - start < _QUALIFIER_REACH and self.open[start]:
            start -= 1
        qualifier = qualifier_before(self.sentence.terms[start:first])
        return qualifier.size if qualifier else 0

    def qualifiers(self) -> Bools:
        """Return which tokens (tokens,) are of a qualifier."""
        terms = self.sentence.terms
        inside = np.zeros(self.size, bool)
        for start in range(self.size):
            for size in range(1, min(_LONGEST_QUALIFIER, self.size - start) + 1):
                if tuple(terms[start : start + size]) in QUALIFIERS:
                    inside[start : start + size] = True
        return inside


def types_wanted(question: QuestionAnalysis) -> tuple[str, ...]:
    """Return the types of spans that a question asks for, the most fitting first."""
    return OF_KIND.get(question.kind, ())


def _joined(sentence: Sentence, capital: Bools) -> Bools:
    """Return a mask (tokens,) of the tokens that continue a word.

    A capital after a small letter begins another word (chè Hảo Đạt).
    """
    joined = np.array(sentence.joined, bool)
    if len(joined):
        joined[0] = False
        joined[1:] &= capital[:-1] | ~capital[1:]
    return joined


@cache
def _lexicon() -> dict[str, str]:
    """Return the usual part of speech of words, from tags.tsv."""
    rows = resources.files("htxsearch.answer").joinpath("tags.tsv").read_text("utf-8").splitlines()
    return {
        word: tag
        for tag, _, words in (row.partition("\t") for row in rows if not row.startswith("#"))
        for word in words.split("|")
    }


def fitting(spans: SentenceSpans) -> tuple[Bools | None, bool]:
    """Return a mask (spans,) of the spans that fit the question best, and a flag.

    The mask is None if all spans are kept. The flag is True if these spans are of the kind asked for. For figures the
    fitting spans are amounts of the counted noun, else any in figures. For a person they are names that are not those
    of places and organisations.
    """
    question = spans.question
    if question.kind == "person":
        return _with_a_person(spans)
    if question.kind not in FIGURES:
        return None, any(type_ in types_wanted(question)[:1] for _, _, type_ in spans.typed)
    if question.focus and question.kind != "percent":
        for units in _units_asked(question):
            counted: Bools = spans.digit_in & np.any([_ends_with(spans, unit)[spans.last] for unit in units], axis=0)
            if counted.any():
                return counted, True
    has_figures = bool(spans.digit_in.any())
    return spans.digit_in if has_figures else None, question.kind != "number" and has_figures


def _with_a_person(spans: SentenceSpans) -> tuple[Bools | None, bool]:
    """Return a mask (spans,) of the spans that hold a person's name, and a flag.

    The name has two syllables or more, or is a foreign one. Without such a span the mask is None and the flag False.
    """
    names: dict[str, set[tuple[int, int]]] = {}
    for first, last, type_ in spans.typed:
        if last > first or not is_syllable(spans.sentence.terms[first]):
            names.setdefault(type_, set()).add((first, last))
    others = names.get("place", set()) | names.get("organisation", set())
    persons = list(names.get("person", set()) | names.get("name", set()) - others)
    if not persons:
        return None, False
    named: Bools = np.any([(spans.first <= first) & (spans.last >= last) for first, last in persons], axis=0)
    return (named, True) if named.any() else (None, False)


def _units_asked(question: QuestionAnalysis) -> list[list[tuple[str, ...]]]:
    """Return the units that a figure may have, the likeliest group first.

    For example: 482 HTX, 38 tỷ euro. For "bao lâu" they are the units of time. The counted noun may have lost its end,
    but not to a single syllable that counts nothing by itself.
    """
    focus, marked = question.focus, question.marked
    spelled = canonical_spelling if marked else folded_form
    if focus[0] == spelled("lâu"):
        return [[tuple(map(spelled, unit)) for unit in _HOW_LONG]]
    sizes = [size for size in range(len(focus), 0, -1) if size > 1 or size == len(focus) or focus[0] in _units(marked)]
    return [written_forms(focus[:size], marked) for size in sizes]


@cache
def _units(marked: bool) -> frozenset[str]:
    """Return nouns of one syllable that count without the words behind them.

    For example: bao nhiêu hộ dân, số HTX Thái Nguyên.
    """
    return _UNITS if marked else frozenset(map(folded_form, _UNITS))


def _ends_with(spans: SentenceSpans, unit: Sequence[str]) -> Bools:
    """Return a mask (tokens,) of the tokens at which a unit ends.

    The unit is right behind a figure and its scale.
    """
    ends = np.zeros(spans.size, bool)
    for start in range(1, spans.size - len(unit) + 1):
        if spans.figure[start - 1] and tuple(spans.terms[start : start + len(unit)]) == unit:
            ends[start + len(unit) - 1] = True
    return ends


def written_forms(noun: tuple[str, ...], marked: bool) -> list[tuple[str, ...]]:
    """Return a noun's terms and those of its other form: hợp tác xã, HTX."""
    other = _abbreviations(marked).get(noun)
    return [noun, other] if other else [noun]


@cache
def _abbreviations(marked: bool) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Return short forms by their long forms' terms and the other way round.

    The forms have diacritics if `marked`, else none.
    """
    spelled = canonical_spelling if marked else folded_form
    pairs = [((spelled(short.lower()),), tuple(map(spelled, long_form_terms(long)))) for short, long in COMMON.items()]
    return dict(pairs) | {long: short for short, long in pairs}
