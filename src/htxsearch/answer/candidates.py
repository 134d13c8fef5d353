"""The spans of a sentence that could be the answer, and what the scorer knows of each.

A span is a run of whole words. Where a sentence holds amounts, dates or percentages and these are asked for,
only spans made of one are candidates. Pure: a sentence in, arrays out, a row for every candidate.
"""

from collections.abc import Iterator
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import NDArray

from htxsearch.answer.figures import status_of
from htxsearch.answer.question import FIGURES, KINDS, QuestionAnalysis
from htxsearch.answer.sentences import OF_KIND, Sentence, overlap, own_period
from htxsearch.text.abbreviations import COMMON, long_form_terms
from htxsearch.text.normalize import is_syllable, key, normal

__all__ = ["FREE", "LONGEST", "Columns", "candidates"]

FREE = 8
"""Syllables of a candidate that may begin and end at any word; longer ones are whole clauses."""
LONGEST = 45

_Ints = NDArray[np.int64]
_Bools = NDArray[np.bool_]
_Floats = NDArray[np.float64]
Columns = dict[str, NDArray[np.float64]]

_GAPS = {"comma": ",", "stop": ";:.!?…", "open": "([", "close": ")]", "quote": "\"“”'‘’«»", "dash": "-–—"}
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
_CATEGORIES = ("edge", *_GAPS, "name", "digit", *_CUES, *_TAGS, "other")
_NUMBER_OF = {name: number for number, name in enumerate(_CATEGORIES)}
_NEVER_FIRST = frozenset("của và là thì mà rằng hoặc hay nhưng bị cũng".split())
_NEVER_LAST = frozenset(
    "của và là thì mà rằng hoặc hay nhưng các những một với cho từ để do vì bởi như khi đã sẽ đang ở tại trong được bị có"
    " theo gồm".split()
)
_DENIALS = frozenset("không chưa chẳng chớ đừng".split())
_QUALIFIERS = frozenset("gần trên hơn khoảng ước tính xấp xỉ chừng ít nhất tối thiểu tối đa không quá dưới vượt".split())
_SCALES = frozenset("tram nghin ngan van trieu ty".split())
_MEASURED = ("number", "money", "percent", "date", "document")


class _Line:
    """A sentence's tokens as arrays, and its spans' first and last tokens."""

    def __init__(self, text: str, sentence: Sentence, asking: QuestionAnalysis) -> None:
        self.sentence, self.asking, self.text = sentence, asking, text
        self.size = len(sentence.terms)
        edges = [sentence.start, *sentence.ends], [*sentence.starts, sentence.end]
        between = [text[a:b] for a, b in zip(*edges, strict=True)]
        self.gaps = {name: np.array([any(char in signs for char in one) for one in between]) for name, signs in _GAPS.items()}
        self.open = np.array([not one.strip() for one in between])
        self.capital = np.array([text[at].isupper() for at in sentence.starts])
        self.digit = np.array([text[at].isdigit() for at in sentence.starts])
        self.joined = _joined(sentence, self.capital)
        self.category = self._categories()
        self.before, self.behind = self._neighbours(-1), self._neighbours(1)
        self.terms = sentence.terms if asking.marked else [key(term) for term in sentence.terms]
        self.typed = list(self._typed())
        self.first, self.last = self._spans()
        self.length = self.last - self.first + 1
        digits = np.concatenate([[0], np.cumsum(self.digit)])
        self.digit_in: _Bools = digits[self.last + 1] > digits[self.first]
        self.figure = self.digit.copy()
        for at in range(1, self.size):
            self.figure[at] |= self.figure[at - 1] and key(sentence.terms[at]) in _SCALES

    def _categories(self) -> _Ints:
        found = []
        terms, joined = self.sentence.terms, self.joined
        for at, term in enumerate(terms):
            start = end = at
            while joined[start] and start:
                start -= 1
            while end + 1 < self.size and joined[end + 1]:
                end += 1
            if self.digit[at]:
                name = "digit"
            elif self.capital[at] and at:
                name = "name"
            elif start == end and term in _CUE_OF:
                name = _CUE_OF[term]
            else:
                name = _tag(" ".join(terms[start : end + 1])) or ("name" if self.capital[at] else "other")
            found.append(_NUMBER_OF[name])
        return np.array(found)

    def _neighbours(self, step: int) -> _Ints:
        """Return the category of what stands before (-1) or behind (1) each token: a sign, or the next token."""
        found = []
        for at in range(self.size):
            gap = at if step < 0 else at + 1
            sign = next((name for name, there in self.gaps.items() if there[gap]), None)
            beside = at + step
            if sign:
                found.append(_NUMBER_OF[sign])
            else:
                found.append(int(self.category[beside]) if 0 <= beside < self.size else _NUMBER_OF["edge"])
        return np.array(found)

    def _typed(self) -> Iterator[tuple[int, int, str]]:
        """Yield first and last token and type of each typed span."""
        starts, ends = self.sentence.starts, self.sentence.ends
        for span in self.sentence.typed:
            inside = [at for at in range(self.size) if starts[at] >= span.start and ends[at] <= span.end]
            if inside:
                yield inside[0], inside[-1], span.type

    def _spans(self) -> tuple[_Ints, _Ints]:
        terms = self.sentence.terms
        first, last = np.triu_indices(self.size)
        length = last - first + 1
        sign = len(_GAPS) + 1
        opens = (self.before < sign) | ((self.before > sign + 1) & (self.before < sign + 2 + len(_CUES)))
        closes = self.behind < sign
        never_first = np.array([term in _NEVER_FIRST for term in terms]) | self.joined
        never_last = np.array([term in _NEVER_LAST for term in terms]) | np.append(self.joined[1:], False)
        denied = np.array([False, *(term in _DENIALS for term in terms[:-1])], bool) & self.open[:-1]
        keep = (length <= LONGEST) & ~never_first[first] & ~never_last[last] & ~denied[first]
        keep &= (length <= FREE) | (opens[first] & closes[last])
        measured = [(a, b) for a, b, type_ in self.typed if type_ in _wanted(self.asking) and type_ in _MEASURED]
        if measured:
            keep &= self._around(measured)[first, last]
        return first[keep], last[keep]

    def _around(self, measured: list[tuple[int, int]]) -> _Bools:
        """Return which spans are an amount or date, with its qualifier before it, and some of its unit behind it."""
        allowed = np.zeros((self.size, self.size), bool)
        for first, last in measured:
            start = first
            while start and self.sentence.terms[start - 1] in _QUALIFIERS and self.open[start]:
                start -= 1
            end = last
            if self.asking.kind != "date":
                while end + 1 < self.size and end - last < 7 and self.open[end + 1]:
                    end += 1
            allowed[start, last : end + 1] = True  # a part of a qualifier may say the contrary: (không) vượt quá 15 %
            if "không" not in self.sentence.terms[start:first]:
                allowed[first, last : end + 1] = True
        return allowed


def _wanted(asking: QuestionAnalysis) -> tuple[str, ...]:
    return OF_KIND.get(asking.kind, ())


def _joined(sentence: Sentence, capital: _Bools) -> _Bools:
    """Return which tokens continue the word before; one with a capital after one without begins anew (chè Hảo Đạt)."""
    joined = np.array(sentence.joined, bool)
    if len(joined):
        joined[0] = False
        joined[1:] &= capital[:-1] | ~capital[1:]
    return joined


@cache
def _lexicon() -> dict[str, str]:
    rows = resources.files("htxsearch.answer").joinpath("tags.tsv").read_text("utf-8").splitlines()
    return {
        word: tag
        for tag, _, words in (row.partition("\t") for row in rows if not row.startswith("#"))
        for word in words.split("|")
    }


def _tag(word: str) -> str | None:
    """Return the usual part of speech of a word, None if it is not in the table."""
    return _lexicon().get(word)


def candidates(text: str, sentence: Sentence, asking: QuestionAnalysis, total: float) -> tuple[_Ints, _Ints, Columns]:
    """Return the first and last tokens of the candidates, and their features by name.

    `total` is the idf of all the question's content. Where a sentence has a figure of the status and time asked for, others
    are none.
    """
    line = _Line(text, sentence, asking)
    kept, fits = _fitting(line)
    if kept is not None:
        line.first, line.last, line.length = line.first[kept], line.last[kept], line.length[kept]
    columns: Columns = {"fits": np.full(len(line.first), float(fits))}
    for part in (
        _matches(line, total),
        _shape(line),
        _types(line),
        _focus(line),
        _figures(line),
        _alignment(line, total),
        _words(line),
    ):
        columns |= {name: np.asarray(values, np.float64) for name, values in part.items()}
    unfit = columns["status_unfit"] + columns["time_unfit"] > 0
    if unfit.all() or not unfit.any():
        return line.first, line.last, columns
    return line.first[~unfit], line.last[~unfit], {name: values[~unfit] for name, values in columns.items()}


def _sums(values: NDArray[np.generic]) -> _Floats:
    return np.concatenate([[0.0], np.cumsum(values)])


def _matches(line: _Line, total: float) -> dict[str, NDArray[np.generic]]:
    """What of the question stands in a span and around it, as shares of its idf."""
    n, first, last = line.size, line.first, line.last
    weight = line.sentence.weight / (total or 1.0)
    there = weight > 0
    summed, counted = _sums(weight), _sums(there)

    def within(start: _Ints, end: _Ints) -> _Floats:
        return summed[np.clip(end, 0, n)] - summed[np.clip(start, 0, n)]

    places = np.arange(n)
    left = np.concatenate([[-50], np.maximum.accumulate(np.where(there, places, -50))])[first]
    right = np.concatenate([np.minimum.accumulate(np.where(there, places, n + 50)[::-1])[::-1], [n + 50]])[last + 1]
    inside = within(first, last + 1)
    found: dict[str, NDArray[np.generic]] = {
        "in_share": inside,
        "in_frac": (counted[last + 1] - counted[first]) / line.length,
        "left_dist": np.log1p(np.minimum(first - left, 20)),
        "right_dist": np.log1p(np.minimum(right - last, 20)),
        "rest": summed[n] - inside,
        "prev_match": np.concatenate([[False], there])[first],
        "next_match": np.concatenate([there, [False]])[last + 1],
        "first_match": there[first],
        "last_match": there[last],
    }
    for reach in (1, 3, 8):
        found[f"left{reach}"] = within(first - reach, first)
        found[f"right{reach}"] = within(last + 1, last + 1 + reach)
    return found


def _shape(line: _Line) -> dict[str, NDArray[np.generic]]:
    """How a span looks: length, capitals, figures, signs in it and at its ends."""
    first, last = line.first, line.last
    capitals, digits = _sums(line.capital), _sums(line.digit)
    capital_before = np.concatenate([[False], line.capital[:-1]])
    capital_behind = np.append(line.capital[1:], False)

    def inside(*names: str) -> _Floats:
        summed = _sums(np.any([line.gaps[name] for name in names], axis=0))
        return summed[last + 1] - summed[first + 1]

    depth = _sums(line.gaps["open"].astype(int) - line.gaps["close"].astype(int))
    opened = line.gaps["open"] | line.gaps["quote"]
    closed = line.gaps["close"] | line.gaps["quote"]
    count = capitals[last + 1] - capitals[first]
    return {
        "caps": count / line.length,
        "all_caps": count == line.length,
        "digit": digits[last + 1] > digits[first],
        "digit_first": line.digit[first],
        "cut_left": line.capital[first] & capital_before[first] & line.open[first],
        "cut_right": line.capital[last] & capital_behind[last] & line.open[last + 1],
        "comma": inside("comma"),
        "stop": inside("stop"),
        "unbalanced": (depth[last + 1] != depth[first + 1]) | (inside("quote") % 2 == 1),
        "enclosed": opened[first] & closed[last + 1],
        "clause": (line.before[first] <= len(_GAPS)) & (line.behind[last] <= len(_GAPS)),
        "at_start": first == 0,
        "at_end": last == line.size - 1,
        "length": line.length,
        "share": line.length / line.size,
        "words": line.length - (_sums(line.joined)[last + 1] - _sums(line.joined)[first]),
    }


def _types(line: _Line) -> dict[str, NDArray[np.generic]]:
    """Whether a span is one of a type that is asked for, holds one, or cuts one."""
    n = line.size
    kinds = _wanted(line.asking)
    exact, other, strong = (np.zeros((n, n), bool) for _ in range(3))
    covered, cut_first, cut_last = np.zeros(n, bool), np.zeros(n, bool), np.zeros(n, bool)
    for first, last, type_ in line.typed:
        if type_ in kinds:
            exact[first, last] = True
            strong[first, last] |= type_ == kinds[0]
            covered[first : last + 1] = True
        else:
            other[first, last] = True
        cut_first[first + 1 : last + 1] = True
        cut_last[first:last] = True
    count = _sums(covered)
    starts = np.array([term in _QUALIFIERS for term in line.sentence.terms])
    return {
        "exact": exact[line.first, line.last],
        "strong": strong[line.first, line.last],
        "other_type": other[line.first, line.last],
        "typed_share": (count[line.last + 1] - count[line.first]) / line.length,
        "cut": cut_first[line.first] | cut_last[line.last],
        "qualified": starts[line.first],
        "qualifier_before": np.concatenate([[False], starts[:-1]])[line.first],
    }


def _focus(line: _Line) -> dict[str, NDArray[np.generic]]:
    """Where the noun that the question names stands: at a span's end (482 HTX), behind it, at its beginning (đội X)."""
    n, focus = line.size, line.asking.focus
    begins, ends = np.zeros(n + 1, bool), np.zeros(n + 1, bool)
    counted = line.asking.kind in ("number", "money", "percent")
    for size in range(len(focus), 0, -1):
        for part in _written(focus[:size] if counted else focus[-size:], line.asking.marked):
            for at in range(n - len(part) + 1):
                if tuple(line.terms[at : at + len(part)]) == part:
                    begins[at] = ends[at + len(part) - 1] = True
        if begins.any():
            break
    count = _sums(begins[:n])
    return {
        "focus_last": ends[line.last],
        "focus_behind": begins[line.last + 1],
        "focus_first": begins[line.first],
        "focus_in": count[line.last + 1] > count[line.first],
        "focus_before": np.concatenate([[False], ends[:n]])[line.first],
    }


def _figures(line: _Line) -> dict[str, NDArray[np.generic]]:
    """Whether a span's figure has another status or time than is asked, is a part in brackets, a total where one is asked."""
    n, asking, sentence = line.size, line.asking, line.sentence
    status, time, total = (np.zeros(n, bool) for _ in range(3))
    totals = [at for at, term in enumerate(sentence.terms) if term == "tổng"]
    for first, last, type_ in line.typed if asking.kind in FIGURES else ():
        if type_ in _wanted(asking):
            start, end = sentence.starts[first], sentence.ends[last]
            status[first] = status_of(line.text[sentence.start : start], line.text[end : sentence.end]) != asking.status
            total[first] = any(0 < first - at <= 8 for at in totals)
            own = own_period(line.text, sentence.periods, sentence.start, sentence.end, start) if asking.periods else None
            time[first] = own is not None and not any(overlap(one, own) for one in asking.periods)
    wants_total = not {*asking.before, *asking.behind}.isdisjoint(("tổng", "tất") if asking.marked else ("tong", "tat"))
    depth = np.cumsum(line.gaps["open"].astype(int) - line.gaps["close"].astype(int))

    def holds(there: _Bools) -> _Bools:
        summed = _sums(there)
        found: _Bools = summed[line.last + 1] > summed[line.first]
        return found

    return {
        "status_unfit": holds(status),
        "time_unfit": holds(time),
        "total_fits": holds(total) * (1.0 if wants_total else -1.0),
        "bracketed": depth[line.first] > 0,
    }


@cache
def _abbreviations(marked: bool) -> dict[tuple[str, ...], tuple[str, ...]]:
    """Return short forms by their long forms' terms, and the other way round, with or without marks."""
    spelled = normal if marked else key
    pairs = [((spelled(short.lower()),), tuple(map(spelled, long_form_terms(long)))) for short, long in COMMON.items()]
    return dict(pairs) | {long: short for short, long in pairs}


def _written(part: tuple[str, ...], marked: bool) -> list[tuple[str, ...]]:
    """Return a noun's terms, and those of its other form: hợp tác xã, HTX."""
    other = _abbreviations(marked).get(part)
    return [part, other] if other else [part]


_UNITS = frozenset("htx tht hộ người tấn tạ kg ha đồng lao con cây tổ".split())


@cache
def _units(marked: bool) -> frozenset[str]:
    """Return nouns of one syllable that count without the words behind them: bao nhiêu hộ dân, số HTX Thái Nguyên."""
    return _UNITS if marked else frozenset(map(key, _UNITS))


_HOW_LONG = tuple((unit,) for unit in "giây phút giờ ngày tuần tháng quý năm".split())


def _fitting(line: _Line) -> tuple[_Bools | None, bool]:
    """Return which of the spans fit best what is asked, None for all of them, and whether these are what is asked for.

    They are amounts of what is counted, else any in figures; and names, but for those of places and organisations. What
    "bao nhiêu" counts is its unit: 482 HTX, 38 tỷ euro; that of "bao lâu" is one of time. Who is asked for has a name of
    two syllables or more, or a foreign one.
    """
    focus, marked = line.asking.focus, line.asking.marked
    if line.asking.kind == "person":
        whole = [one for one in line.typed if one[1] > one[0] or not is_syllable(line.sentence.terms[one[0]])]
        of = {type_: {(first, last) for first, last, one in whole if one == type_} for _, _, type_ in whole}
        other = of.get("place", set()) | of.get("organisation", set())
        names = list(of.get("person", set()) | of.get("name", set()) - other)
        named: _Bools = np.any([(line.first <= first) & (line.last >= last) for first, last in names], axis=0)
        return (named, True) if names and named.any() else (None, False)
    if line.asking.kind not in FIGURES:
        return None, any(type_ in _wanted(line.asking)[:1] for _, _, type_ in line.typed)
    if focus and line.asking.kind != "percent":
        spelled = normal if marked else key
        how_long = focus[0] == spelled("lâu")
        begun = [
            focus[:size] for size in range(len(focus), 0, -1) if size > 1 or size == len(focus) or focus[0] in _units(marked)
        ]
        for units in (
            [[tuple(map(spelled, one)) for one in _HOW_LONG]] if how_long else [_written(one, marked) for one in begun]
        ):
            counted: _Bools = line.digit_in & np.any([_ends_with(line, unit)[line.last] for unit in units], axis=0)
            if counted.any():
                return counted, True
    return line.digit_in if line.digit_in.any() else None, line.asking.kind != "number" and bool(line.digit_in.any())


def _ends_with(line: _Line, unit: tuple[str, ...]) -> _Bools:
    """Return at which tokens a unit ends that stands right behind a figure and, in between, nothing but its scale."""
    found = np.zeros(line.size, bool)
    for at in range(1, line.size - len(unit) + 1):
        if line.figure[at - 1] and tuple(line.terms[at : at + len(unit)]) == unit:
            found[at + len(unit) - 1] = True
    return found


def _alignment(line: _Line, total: float) -> dict[str, NDArray[np.generic]]:
    """Whether what stands before and behind the question word stands before and behind the span."""
    n, first, last = line.size, line.first, line.last
    before, behind = line.asking.before, line.asking.behind
    weight = line.sentence.weight / (total or 1.0)
    terms = line.terms
    found: dict[str, NDArray[np.generic]] = {}
    for name, side in (("before", set(before)), ("behind", set(behind))):
        there = np.array([term in side for term in terms])
        summed = _sums(weight * there)
        found[f"{name}_left"] = summed[first] - summed[np.maximum(first - 6, 0)]
        found[f"{name}_right"] = summed[np.minimum(last + 7, n)] - summed[last + 1]
        found[f"{name}_left_all"] = summed[first]
        found[f"{name}_right_all"] = summed[n] - summed[last + 1]
    near_left = _sums(np.array([term in set(before[-3:]) for term in terms]))
    near_right = _sums(np.array([term in set(behind[:3]) for term in terms]))
    found["near_left"] = near_left[first] - near_left[np.maximum(first - 4, 0)]
    found["near_right"] = near_right[np.minimum(last + 5, n)] - near_right[last + 1]
    same_left = np.array([bool(before) and at > 0 and terms[at - 1] == before[-1] for at in range(n)])
    same_right = np.array([bool(behind) and at + 1 < n and terms[at + 1] == behind[0] for at in range(n)])
    found["same_left"], found["same_right"] = same_left[first], same_right[last]
    return found


def _words(line: _Line) -> dict[str, NDArray[np.generic]]:
    """The categories of a span's first and last word and of its neighbours, and the kind asked for, each as 0 or 1."""
    found: dict[str, NDArray[np.generic]] = {}
    sides = (
        ("before", line.before[line.first]),
        ("first", line.category[line.first]),
        ("last", line.category[line.last]),
        ("behind", line.behind[line.last]),
    )
    for name, category in sides:
        for number, shown in enumerate(_CATEGORIES):
            found[f"{name}={shown}"] = category == number
    for kind in KINDS:
        found[f"kind={kind}"] = np.full(len(line.first), kind == line.asking.kind)
    return found
