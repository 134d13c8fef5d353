"""Read a question for a figure as a request for facts.

The request has its indicator, places and time.

"Tháng 9/2019 Thái Nguyên có bao nhiêu HTX?" asks for the indicator "HTX" in Thái Nguyên in September 2019. Places are read
with or without diacritics; what is left of the question, without question words, is the indicator.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from htxsearch.facts.places import bare_name, level_of, place_name_key, places_of, regions_in
from htxsearch.facts.stored import place_key
from htxsearch.facts.terms import indicator_terms
from htxsearch.search.fact_cues import folded_terms
from htxsearch.search.fact_matching import AskedFacts, matches
from htxsearch.search.fact_results import FoundFact
from htxsearch.search.facts import FactList, FactRequest, collected, fact_keys_of, fact_request, find_facts, fits, in_order
from htxsearch.search.pipeline import first_stage
from htxsearch.search.snapshot import Snapshot
from htxsearch.text.normalize import folded_form, nfc
from htxsearch.text.places import question_provinces
from htxsearch.text.query_dates import question_dates
from htxsearch.text.tokens import tokens

__all__ = ["fact_request_of", "facts_asked", "facts_in_words", "terms_asked"]

_SMALLER = 3
"""The level of a district; larger places are read in the question itself."""
_NEAR = 20
"""Articles near to the words whose facts are looked at."""

_QUESTION_WORDS = frozenset(
    "bao nhiêu mấy là gì nào sao ai đâu khi lúc giờ hay hoặc từ đến các những so tăng giảm lên xuống cao thấp"
    " nhất nhiều ít kém sẽ"
    " không vậy cho biết xin hỏi tỉnh huyện vùng nước năm tháng quý ngày đầu cuối giữa trước sau vừa cộng mức"
    " bằng chiếm trọng một hai ba nhiệm kỳ xã chưa triệu tỷ nghìn luật hết hiện".split()
)
"""Words of questions and of times that name no indicator."""
_PHRASES = (
    *("như thế nào", "thế nào", "đặt mục tiêu", "mục tiêu", "chỉ tiêu", "phấn đấu", "dự kiến", "kế hoạch", "thực hiện"),
    *("tính đến", "tính tới", "hiện nay", "tất cả", "tổng cộng"),
)
"""Phrases that ask for a status or a mean, or go with a time or a total, and name no indicator."""


def fact_request_of(question: str) -> FactRequest:
    """Return the request of a question (NFC), typed with diacritics or without."""
    named = {place.name for place in places_of(question) if place.level >= 1} or set(_named_provinces(question))
    named |= set(regions_in(question))
    dates = question_dates(question)
    first = min((mention.first for mention in dates if mention.first), default=None)
    last = max((mention.last for mention in dates if mention.last), default=None)
    period = (first or date.min, last or date.max) if first or last else None
    return FactRequest(question, tuple(sorted(named)), terms=terms_asked(question), period=period)


def facts_in_words(snapshot: Snapshot, words: str, **options: Any) -> FactList:
    """Return the facts of typed words and options, those asked for first.

    The options are those of `search.facts.fact_request`. Places and a time among the words are those of the request, unless an
    option names them: "số HTX Thái Nguyên 2019". Raises UsageError, UnknownArticle.
    """
    request = fact_request(words, **options)
    read = fact_request_of(nfc(words))
    if not read.terms:
        return facts_asked(snapshot, request)
    is_dated = request.since or request.until
    return facts_asked(
        snapshot,
        request._replace(
            terms=read.terms,
            places=request.places or read.places,
            period=None if is_dated else read.period,
            is_strict=bool(request.places),
        ),
    )


def facts_asked(snapshot: Snapshot, request: FactRequest) -> FactList:
    """Return the facts that a request asks for.

    Behind them come those whose indicator has all its terms.

    The first are looked for in the articles nearest to the words, too.
    """
    wanted = request.wanted()
    if request.article or not wanted:
        return find_facts(snapshot, request)
    words = " ".join(token.term for token in tokens(request.words))
    nearness: dict[str, float] = {}
    for hit in first_stage(snapshot, words).result.hits:
        nearness.setdefault(hit.article_id, hit.score)
        if len(nearness) == _NEAR:
            break
    engine, of_request = snapshot.engine, fits(request)
    of_status = fits(request._replace(terms=frozenset(), places=request.places if request.is_strict else ()))
    packed = dict(engine.facts(fact_keys_of(request)))
    others = [article_id for article_id in nearness if article_id not in packed]
    packed.update(zip(others, engine.facts_of(others), strict=True))
    found = collected(
        snapshot,
        request,
        packed.items(),
        lambda article_id, fact, terms: (
            of_request(article_id, fact, terms) or (article_id in nearness and of_status(article_id, fact, terms))
        ),
    )
    folded = folded_terms(request.words)
    places = frozenset(map(place_key, request.places)) | _smaller_places(folded, found, request.places)
    asked = AskedFacts(folded, wanted, places, request.period, nearness)
    judged = [
        replace(fact, match=probability, is_asked=is_asked)
        for fact, (probability, is_asked) in zip(found, matches(asked, found), strict=True)
    ]
    if request.period and any(fact.is_asked and _is_within(fact, request.period) for fact in judged):
        judged = [replace(fact, is_asked=fact.is_asked and _is_within(fact, request.period)) for fact in judged]
    facts = [fact for fact in judged if fact.is_asked or of_request(fact.article_id, fact.fact, fact.terms)]
    return FactList(tuple(sorted(facts, key=in_order)), request.places)


def _smaller_places(words: str, found: Sequence[FoundFact], known: Sequence[str]) -> frozenset[str]:
    """Return the keys of the places of facts that words name without their kind.

    For example: Mỹ An for xã Mỹ An. The words are folded.
    """
    written = {fact.fact.place for fact in found if fact.fact.place and level_of(fact.fact.place) >= _SMALLER}
    taken = {place_key(place)[1:] for place in known}
    named = set()
    for place in written:
        bare = place_key(bare_name(place_name_key(place)))[1:]
        if " " in bare and bare not in taken and f" {bare} " in words:
            named.add(place_key(place))
    return frozenset(named)


def _is_within(fact: FoundFact, period: tuple[date, date]) -> bool:
    """Return True if a fact's time and a period have a day in common, or it has none."""
    return fact.first is None or fact.last is None or (fact.last >= period[0] and fact.first <= period[1])


def terms_asked(question: str) -> frozenset[str]:
    """Return the terms of the indicator that a question asks for."""
    text = question
    for place in reversed(places_of(question)):
        text = text[: place.start] + " " + text[place.end :]
    for province in (*regions_in(question), *question_provinces(question)):
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
