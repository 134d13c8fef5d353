"""Read a question for a figure as a request for facts.

The request has its indicator, places and time.

"Tháng 9/2019 Thái Nguyên có bao nhiêu HTX?" asks for the indicator "HTX" in Thái Nguyên in September 2019. Places are read
with or without diacritics; what is left of the question, without question words, is the indicator.
"""

from typing import Any

from htxsearch.facts.places import places_of
from htxsearch.facts.terms import indicator_terms
from htxsearch.search.facts import FactList, FactRequest, fact_request, find_facts, nearest_facts
from htxsearch.search.snapshot import Snapshot
from htxsearch.text.normalize import folded_form, nfc
from htxsearch.text.places import question_provinces
from htxsearch.text.query_dates import question_dates
from htxsearch.text.tokens import tokens

__all__ = ["fact_request_of", "facts_asked", "facts_in_words", "terms_asked"]

_QUESTION_WORDS = frozenset(
    "bao nhiêu mấy là gì nào thế sao ai đâu khi lúc giờ hay hoặc từ đến các những so tăng giảm lên xuống cao thấp"
    " nhất nhiều ít kém sẽ"
    " không vậy cho biết xin hỏi tỉnh huyện vùng nước năm tháng quý ngày đầu cuối giữa trước sau vừa cộng mức"
    " bằng chiếm trọng một hai ba nhiệm kỳ xã chưa triệu tỷ nghìn luật".split()
)
"""Words of questions and of times that name no indicator."""
_PHRASES = ("đặt mục tiêu", "mục tiêu", "chỉ tiêu", "phấn đấu", "dự kiến", "kế hoạch", "thực hiện")
"""Phrases that ask for a status or a mean and name no indicator."""


def fact_request_of(question: str) -> FactRequest:
    """Return the request of a question (NFC), typed with diacritics or without."""
    named = {place.name for place in places_of(question) if place.level >= 1} or set(_named_provinces(question))
    dates = question_dates(question)
    first = min((mention.first for mention in dates if mention.first), default=None)
    last = max((mention.last for mention in dates if mention.last), default=None)
    return FactRequest(question, tuple(sorted(named)), first, last, terms=terms_asked(question))


def facts_in_words(snapshot: Snapshot, words: str, **options: Any) -> FactList:
    """Return the facts of typed words and options, the nearest and newest first.

    The options are those of `search.facts.fact_request`. A place among the words is that of the request, unless an option names
    one: "số HTX Thái Nguyên". Raises UsageError, UnknownArticle.
    """
    request = fact_request(words, **options)
    read = fact_request_of(nfc(words))
    if not read.places or request.places or not read.terms:
        return facts_asked(snapshot, request)
    return facts_asked(snapshot, request._replace(places=read.places, terms=read.terms))


def facts_asked(snapshot: Snapshot, request: FactRequest) -> FactList:
    """Return the facts that fit a request.

    If none fits, those whose indicator is most like it are returned.
    """
    found = find_facts(snapshot, request)
    return found if found or request.article else nearest_facts(snapshot, request)


def terms_asked(question: str) -> frozenset[str]:
    """Return the terms of the indicator that a question asks for."""
    text = question
    for place in reversed(places_of(question)):
        text = text[: place.start] + " " + text[place.end :]
    for province in question_provinces(question):
        text = _without(text, [folded_form(token.term) for token in tokens(province)])
    for phrase in _PHRASES:
        text = _without(text, [folded_form(token.term) for token in tokens(phrase)])
    return indicator_terms(text, left_out=_QUESTION_WORDS)


def _named_provinces(question: str) -> list[str]:
    """Return the provinces that a question names itself.

    The parts of a province of today are not among them.
    """
    named = question_provinces(question)
    folded = " ".join(folded_form(token.term) for token in tokens(question))
    return [one for one in named if " ".join(folded_form(token.term) for token in tokens(one)) in folded]


def _without(text: str, name: list[str]) -> str:
    """Return a text without the first run of words whose folded forms are `name`."""
    words = tokens(text)
    for at in range(len(words) - len(name) + 1):
        run = words[at : at + len(name)]
        if [folded_form(token.term) for token in run] == name:
            return text[: run[0].start] + " " + text[run[-1].end :]
    return text
