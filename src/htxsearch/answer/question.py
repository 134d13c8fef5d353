"""Question analysis: the kind of answer asked for, and its constraints.

The kind is learnt (`kinds`). The constraints are the noun or unit that is asked for, and the times, provinces, documents and
names of the question. Polite openings and endings (cho em hỏi … vậy ạ) are stripped first: closed lists of whole words, which
match a question without diacritics without theirs.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from itertools import pairwise, takewhile

from htxsearch.answer.events import Event, event_asked
from htxsearch.answer.figures import Status, status_asked
from htxsearch.answer.kinds import Kind, asks_something, kind_of
from htxsearch.text.abbreviations import COMMON
from htxsearch.text.date_mentions import DateMention
from htxsearch.text.document_numbers import document_numbers
from htxsearch.text.normalize import canonical_spelling, folded_form, has_diacritics, nfc, strip_diacritics
from htxsearch.text.places import question_provinces
from htxsearch.text.query_dates import question_dates
from htxsearch.text.stopwords import is_stop_word
from htxsearch.text.tokens import tokens

__all__ = [
    "FIGURES",
    "QuestionAnalysis",
    "analyse_question",
    "asks_for_answer",
    "divided_question",
    "folded_words",
    "is_named",
    "plain_question",
    "with_diacritics",
]

FIGURES = ("number", "money", "percent")
"""The kinds whose answer is a figure, which holds at a time and has a status."""

_COUNTED_TERMS = 3
"""Terms of the counted noun, behind bao nhiêu or số: bao nhiêu hợp tác xã."""
_SIGNS = "?!.,;:()\"'“”"
"""Signs beside a word that are no part of it."""
_RESTORED_REACH = 6
"""Words of a restored question in which the next typed word is looked for: it spells abbreviations out."""
_PHRASES_OF_QUESTIONS = {
    strip_diacritics(phrase): phrase
    for phrase in (
        "bao nhiêu",
        "là ai",
        "là gì",
        "ở đâu",
        "khi nào",
        "thế nào",
        "tại sao",
        "vì sao",
        "bao giờ",
        "bao lâu",
        "có mấy",
        "mấy lần",
    )
}
"""Phrases that only questions have, by their form without diacritics."""
_COUNTING = ("bao", "nhiêu", "mấy")
_TIMES = {strip_diacritics(word) for word in ("năm", "tháng", "quý", "ngày", "nhiệm kỳ", "giai đoạn", "niên vụ")}
"""Words that make a number behind them a time, without diacritics."""
_TIME_BEFORE_DIGITS = {strip_diacritics(word): word for word in ("năm", "tháng", "quý", "ngày")}
_BEHIND_SO = ("voi", "sanh")
"""Words that make a "so" at the beginning a comparison; before others it is số."""
_BEFORE_NAM = ("viet", "mien", "phia", "dong", "tay")
"""Words that a "nam" behind them belongs to: Việt Nam 2019."""
_BEHIND_BAO = ("nhieu", "lau", "gio", "xa")
_OF_A_NOUN = ("nào", "gì")
"""Question words behind the noun that is asked for."""
_OTHERS = ("ai", "đâu", "sao")


_WHO = "(?:tôi|mình|em|tớ|anh|chị|cháu|bác|chúng tôi|bọn mình)"
_LEAD = (
    r"^(?:(?:dạ|alo|ủa|admin|ad)[, ]+)*(?:[^\W\d]+ ơi[, ]+)?"
    rf"(?:(?:(?:xin|vui lòng|làm ơn|hãy) )?cho (?:phép )?(?:{_WHO}|(?:{_WHO} )?(?:được )?(?:xin|hỏi|biết))"
    rf"|{_WHO} (?:đang )?(?:cần|muốn (?:hỏi|biết|tìm|xin)|xin|hỏi)|xin hỏi|(?:vậy|thế|à) (?:còn|mà))"
    r"(?: (?:hỏi|biết|tìm|thông tin|là|rằng|chút|về)\b)*[,:]? +"
)
_TAIL = (
    r"(?: +(?:nhỉ|nhé|ạ|<vậy>|<thế>|<với>|<nha>|<hả>|<hở>|<ấy>|<đấy>"
    r"|(?<=gi |ao |au |ai |ng |ua )(?:vậy|thế|với|nha)))+(?=\s*[?.!]*$)"
)


@dataclass(frozen=True, slots=True)
class QuestionAnalysis:
    """The analysis of a question: the kind of its answer, and the constraints on it.

    `asks` is False for a query that asks nothing; its kind is "thing". `terms` are the question's in normal form, `focus` those
    of the noun that "bao nhiêu" counts, or that is in front of "nào", "gì". If `marked` is False, the question was typed
    without diacritics and its terms have none. `periods` are the times it names, `places` the provinces, `documents` the
    document numbers, `names` the names of several words, folded. `status` is that of the figure asked for: an actual figure, a
    target or a change. `event` is that whose date is asked for.
    """

    kind: Kind
    focus: tuple[str, ...]
    marked: bool
    terms: tuple[str, ...] = ()
    periods: tuple[DateMention, ...] = ()
    status: Status = "actual"
    asks: bool = True
    has_question_word: bool = True
    event: Event | None = None
    places: frozenset[str] = frozenset()
    documents: frozenset[int] = frozenset()
    names: tuple[str, ...] = ()

    @property
    def asks_for_deputy(self) -> bool:
        """Return True if the question names a deputy: phó giám đốc."""
        return any(term == "phó" or (term == "pho" and before != "thanh") for before, term in pairwise(("", *self.terms)))


@lru_cache(maxsize=64)  # a page asks before it searches and when it has searched
def asks_for_answer(text: str) -> bool:
    """Return True if a text asks for an answer: the `asks` of its analysis."""
    core = _core(" ".join(nfc(text).split()))
    kind = kind_of(core)
    return kind is not None and (divided_question(kind, core).has_question_word or asks_something(core))


def analyse_question(text: str, asked: str | None = None) -> QuestionAnalysis:
    """Return the analysis of a question, typed with diacritics or without.

    `asked` is the same question as it is read, with the diacritics it most likely has: its terms and status are of that. All
    else is of what was typed, since a restored name may be another one.
    """
    typed = " ".join(nfc(text).split())
    core = _core(typed)
    kind = kind_of(core)
    low = " ".join(nfc(asked or text).lower().split())
    marked = has_diacritics(low)
    divided = divided_question(kind or "thing", _core(low))
    return replace(
        divided,
        asks=kind is not None and (divided.has_question_word or asks_something(core)),
        periods=tuple(question_dates(typed)),
        places=question_provinces(typed),
        documents=frozenset(document.number for document in document_numbers(typed)),
        names=tuple(map(folded_words, _names(typed))),
        status=status_asked(_core(low), marked=marked),
        event=event_asked(low),
    )


def _core(question: str) -> str:
    """Return a question in lower case, without its polite openings and endings.

    Openings: cho em hỏi, mình cần. Endings: vậy ạ, thế nhỉ.
    """
    low = question.lower()
    opening, ending = _chat(has_diacritics(low))
    return ending.sub("", opening.sub("", low)) or low


def _names(typed: str) -> list[str]:
    """Return the names of two words or more: Tân Cương Xanh, but not HTX.

    The capital of the question's first word means nothing if two others follow: Ông Lò Văn Ơn. In a question whose
    particles have capitals (Ông Mai Là Ai), they mean nothing.
    """
    particles = [word for word in re.findall(r"[^\W\d_]+", typed)[1:] if is_stop_word(word.lower())]
    if len(particles) > 1 and all(word[0].isupper() for word in particles):
        return []
    runs: list[list[str]] = [[]]
    second = 0
    for place, word in enumerate(re.findall(r"[^\W\d_]+|\S", typed)):
        if len(word) > 1 and word[0].isupper() and not word.isupper():
            runs[-1].append(word)
            second = second or place
            if place == 0:
                runs.append([])
        elif runs[-1]:
            runs.append([])
    first = runs[0] if len(runs) > 1 and typed[:1].isupper() else []
    if first and len(first) == 1 and len(runs[1]) == 1 and second == 1:  # side by side
        runs[1] = [*first, *runs[1]]
    return [" ".join(run) for run in runs if len(run) > 1]


def folded_words(text: str) -> str:
    """Return the words of a text in lower case, without diacritics and signs."""
    return " ".join(re.findall(r"\w+", strip_diacritics(text).lower()))


def is_named(name: str, folded: str) -> bool:
    """Return True if a folded text has a folded name of several words.

    It may have its short form (vn for viet nam), or the initials of a name of three words: ha or tp may be anything.
    """
    words = f" {folded} "
    initials = "".join(word[0] for word in name.split())
    is_short = len(initials) > 2 or folded_form(COMMON.get(initials.upper(), "")) == name
    return f" {name} " in words or (is_short and f" {initials} " in words)


def plain_question(typed: str) -> str:
    """Return a question without the signs of the query language.

    The signs are quotation marks, brackets, + and -, OR, and field names. Halves of surrogate pairs, which a shell makes of
    wrong bytes, go with them: they are no text.
    """
    plain = re.sub(r"(?<!\S)-", " ", re.sub(r"[\"“”„«»()+*:\ud800-\udfff]", " ", nfc(typed)))
    return " ".join(re.sub(r"(?<!\w)OR(?!\w)", "or", plain).split())


def with_diacritics(typed: str, restored: str | None) -> str:
    """Return a typed question with the diacritics of its restored form.

    The restored form has lost numbers, signs and capitals, and spells abbreviations out; here these stay as they were typed.
    """
    if restored is None:
        return typed
    marked, place, words = restored.split(), 0, []
    for word in typed.split():
        bare = word.strip(_SIGNS)
        ahead = marked[place : place + _RESTORED_REACH]
        found = next((n for n, own in enumerate(ahead) if bare and folded_form(own) == folded_form(bare)), None)
        if found is None:
            words.append(word)
            continue
        spelled = ahead[found].capitalize() if bare[0].isupper() and not bare.isupper() else ahead[found]
        words.append(word.replace(bare, bare if bare.isupper() and len(bare) > 1 else spelled, 1))
        place += found + 1
    return _with_question_words(typed.split(), words)


def _with_question_words(typed: Sequence[str], words: Sequence[str]) -> str:
    """Return restored words with the phrases of questions and the words of times.

    bao nhieu is no báo nhiều, nam 2019 no Nam 2019.
    """
    spelled = list(words)
    if len(typed) > 1 and typed[0].lower() == "so" and typed[1].lower() not in _BEHIND_SO:
        spelled[0] = "Số" if typed[0][0].isupper() else "số"
    for at, pair in enumerate(pairwise(typed)):
        time = _TIME_BEFORE_DIGITS.get(pair[0].lower())
        if time and pair[1][:1].isdigit() and not (time == "năm" and at and _ends_in_nam(typed[at - 1])):
            spelled[at] = time.capitalize() if pair[0][0].isupper() else time
        phrase = _PHRASES_OF_QUESTIONS.get(" ".join(word.strip(_SIGNS).lower() for word in pair))
        for number, own in enumerate(phrase.split() if phrase else ()):
            bare = typed[at + number].strip(_SIGNS)
            spelled[at + number] = typed[at + number].replace(bare, own.capitalize() if bare[0].isupper() else own, 1)
    return " ".join(spelled)


def _ends_in_nam(before: str) -> bool:
    """Return True if "nam" behind a typed word is the end of a name: Hà Nam, Việt Nam."""
    return strip_diacritics(before).lower() in _BEFORE_NAM or bool(question_provinces(f"{before} nam"))


@cache
def _chat(marked: bool) -> tuple[re.Pattern[str], re.Pattern[str]]:
    return re.compile(_spelled(_LEAD, marked)), re.compile(_spelled(_TAIL, marked))


def _spelled(rule: str, marked: bool) -> str:
    """Return a rule whose words match as written and, unless `marked`, also unmarked.

    Unmarked words are those without their diacritics.
    """

    def either(match: re.Match[str]) -> str:
        written = match[0]
        if match[1]:
            return match[1] if marked else "(?!)"
        plain = strip_diacritics(written)
        return written if marked or plain == written else f"(?:{written}|{plain})"

    return re.sub(r"\\.|<([^\W\d_]+)>|[^\W\d_]+", either, rule)


def divided_question(kind: Kind, question: str) -> QuestionAnalysis:
    """Return a question of a kind divided at its question word.

    The noun is a run without stop words behind "bao nhiêu" and "mấy", and the term in front of "nào" and "gì": hợp tác xã
    nào, giống nào. A query for a number without a question word names it behind "số".
    """
    marked = has_diacritics(question)
    spelled = canonical_spelling if marked else folded_form
    terms = [spelled(token.term) for token in tokens(question)]
    place = _question_word(kind, terms, spelled)
    if place is None:
        number = spelled("số")
        behind = terms[terms.index(number) + 1 :] if kind == "number" and number in terms[:_COUNTED_TERMS] else []
        focus = _noun_at(behind)
        return QuestionAnalysis(kind, tuple(focus), marked, tuple(terms), has_question_word=False)
    focus = []
    if terms[place] in {spelled(term) for term in _COUNTING}:
        start = place + 1 + (folded_form(terms[min(place + 1, len(terms) - 1)]) == "nhieu")
        focus = _noun_at(terms[start:])
    elif terms[place] in {spelled(term) for term in _OF_A_NOUN}:
        focus = _noun_at(terms[max(0, place - 1) : place])
    return QuestionAnalysis(kind, tuple(focus), marked, tuple(terms))


def _question_word(kind: Kind, terms: Sequence[str], spelled: Callable[[str], str]) -> int | None:
    """Return the place of the term that asks.

    It is the first that counts if a figure is asked for; "nào" and "gì" go before others. "bao" asks only before nhiêu, lâu,
    giờ, xa: bao bì, bao gồm.
    """

    def first_of(words: Sequence[str]) -> int | None:
        wanted = {spelled(word) for word in words}
        asking = (
            place
            for place, (term, behind) in enumerate(pairwise((*terms, "")))
            if term in wanted and (term != "bao" or folded_form(behind) in _BEHIND_BAO)
        )
        return next(asking, None)

    orders = (_COUNTING, _OF_A_NOUN, _OTHERS) if kind in FIGURES else (_OF_A_NOUN, _OTHERS, _COUNTING)
    return next((place for words in orders if (place := first_of(words)) is not None), None)


def _noun_at(terms: Sequence[str]) -> list[str]:
    """Return the first terms up to a stop word, a time or a comparison.

    Of "htx năm 2019" and "lần so với 2013" that is the first.
    """
    times = {at for at, behind in enumerate(terms[1:]) if behind[:1].isdigit()}
    times = {
        start for at in times for start in (at - 1, at) if " ".join(map(folded_form, terms[max(0, start) : at + 1])) in _TIMES
    }
    compared = {at for at, pair in enumerate(pairwise(map(folded_form, terms))) if pair == ("so", "voi")}
    first = min((at for at, term in enumerate(terms) if at in times | compared or term[:1].isdigit()), default=len(terms))
    return list(takewhile(lambda term: not is_stop_word(term), terms[: min(first, _COUNTED_TERMS)]))
