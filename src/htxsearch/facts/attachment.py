"""The place, the time and the status of a figure, chosen among candidates.

Each candidate has features: where it stands to the figure, what stands around it, how often the text names it. Learnt weights
(`attachment.json`, scripts/train_facts.py) score it, and the best one is taken. Candidates are the same in training.
"""

import json
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import NamedTuple

from htxsearch.facts.places import LEVELS, WHOLE, NamedPlace, bare_name, place_name_key
from htxsearch.facts.times import is_usable, opens_frame, own_frame
from htxsearch.text.date_mentions import DateMention
from htxsearch.text.sentences import Span

__all__ = ["Candidate", "Position", "TextPlaces", "after", "best", "place_candidates", "time_candidates"]


class Position(NamedTuple):
    """Where a figure stands.

    `bounds` are the sentences of its paragraph.

    `since` is the end of the figure before it in its sentence, else the sentence's start.
    """

    figure: Span
    sentence: Span
    bounds: Sequence[Span]
    since: int


class Candidate(NamedTuple):
    """A place or time that a figure may be of, None for none, and its features."""

    value: NamedPlace | DateMention | str | None
    features: dict[str, float]


@cache
def _weights(kind: str) -> Mapping[str, float]:
    weights: dict[str, dict[str, float]] = json.loads(
        resources.files("htxsearch.facts").joinpath("attachment.json").read_text("utf-8")
    )
    return weights.get(kind, {})


def best(kind: str, candidates: Sequence[Candidate]) -> Candidate:
    """Return the candidate with the best score; `kind` is "place", "time" or "status"."""
    weights = _weights(kind)
    return max(candidates, key=lambda one: sum(weights.get(name, 0.0) * value for name, value in one.features.items()))


def after(candidates: Sequence[Candidate], previous: Candidate | None, *, same_sentence: bool) -> list[Candidate]:
    """Return candidates with the feature of being the one that the figure before has."""
    if previous is None:
        return list(candidates)
    name = "as before, same sentence" if same_sentence else "as before"
    wanted = _identity(previous)
    return [one._replace(features={**one.features, name: float(_identity(one) == wanted)}) for one in candidates]


def _identity(candidate: Candidate) -> object:
    value = candidate.value
    if isinstance(value, NamedPlace):
        return value.key
    return place_name_key(value) if isinstance(value, str) else value


# Places

_ATTRIBUTION = re.compile(
    r"(?<!\w)(?:cho biết|cho hay|nói|khẳng định|thông tin|chia sẻ|nhận định|phát biểu)(?!\w)", re.IGNORECASE
)
_AT_UNIT = re.compile(r"(?: [^\W\d_]+){0,2} (?:(?:ở|tại|của|trên địa bàn|cho|trong) )?(?:các )?")
_COMPARED = re.compile(
    r"(?:chiếm|so với|đứng (?:đầu|thứ)|nhất|hàng đầu|bình quân chung(?: của)?|sang|thị trường|nhập khẩu|xuất khẩu"
    r"|đến)(?:[^.;:]{0,40}?)$",
    re.IGNORECASE,
)
_OF_BODY = re.compile(
    r"(?:HTX|[Hh]ợp tác xã|[Cc]ông ty|[Bb]áo|THT|Liên minh|UBND|Sở|Chủ tịch|Bí thư|[Gg]iám đốc)[^,.;:()\d]{0,40}$"
)
_HAS = re.compile(r"\s(?:hiện )?(?:có|đạt|hiện|đã|chỉ|ước|mới|còn|phấn đấu|sẽ|là)(?!\w)|:")
_AT = re.compile(r"(?:ở|tại|trên địa bàn|của|cho|toàn) (?:tỉnh |huyện |xã |các )?$", re.IGNORECASE)
_REACH = 4
"""Sentences back in which times are looked for."""
_NEAREST = 8
"""Dates of a sentence that are looked at."""
_MOST = 40
"""Places and times of one sentence or paragraph that are looked at: no more than a text of thousands needs."""


class TextPlaces:
    """The places of a text, with what is counted once for all its figures."""

    def __init__(self, places: Sequence[NamedPlace]) -> None:
        self.places = places
        self.starts = [place.start for place in places]
        self.counts = Counter(bare_name(place.key) for place in places)
        self.frequent = self.counts.most_common(1)[0][0] if places else ""
        self.of_frequent = [at for at, place in enumerate(places) if bare_name(place.key) == self.frequent]

    def before(self, offset: int, least: int = 0) -> list[NamedPlace]:
        """Return the last places that begin before `offset`, nearest first.

        None before the place number `least` is among them.
        """
        behind = bisect_left(self.starts, offset)
        return list(reversed(self.places[max(least, behind - _MOST) : behind]))

    def nearest_above(self, number: int) -> list[NamedPlace]:
        """Return the last three places before the place `number`, nearest first.

        The last mention of the most frequent place follows them.
        """
        ats = list(reversed(range(max(0, number - 3), number)))
        frequent = bisect_left(self.of_frequent, number) - 1
        if frequent >= 0 and self.of_frequent[frequent] not in ats:
            ats.append(self.of_frequent[frequent])
        return [self.places[at] for at in ats]

    def features(self, key: str, place: NamedPlace | None, title: str | None, article: str | None) -> dict[str, float]:
        """Return the features of a place that are the same for all figures."""
        return {
            f"level {place.level if place else 2}": 1.0,
            "frequent": float(bare_name(key) == self.frequent),
            "share": self.counts[bare_name(key)] / max(1, len(self.places)),
            "in title": float(title is not None and key == place_name_key(title)),
            "of article": float(article is not None and key == place_name_key(article)),
        }


def _surroundings(text: str, place: NamedPlace) -> dict[str, float]:
    """Return the features of the words around a place."""
    return {
        "compared": float(bool(_COMPARED.search(text, max(0, place.start - 50), place.start))),
        "of body": float(bool(_OF_BODY.search(text, max(0, place.start - 50), place.start))),
        "has": float(bool(_HAS.match(text, place.end))),
        "at": float(bool(_AT.search(text, max(0, place.start - 30), place.start))),
    }


def place_candidates(text: str, places: TextPlaces, at: Position, title: str | None, article: str | None) -> list[Candidate]:
    """Return the places that a figure may be of.

    They are those before and in its sentence, the title's, the article's, and none.
    """
    above, first, next_one, last = (
        bisect_left(places.starts, offset) for offset in (at.bounds[0].start, at.sentence.start, at.figure.end, at.sentence.end)
    )
    whole = list(WHOLE.finditer(text, at.sentence.start, at.figure.start))
    wanted = LEVELS[whole[-1]["kind"].lower()] if whole else None
    attributed = max((match.end() for match in _ATTRIBUTION.finditer(text, at.sentence.start, at.figure.start)), default=0)
    before = [place for place in places.before(at.figure.start, first) if place.end <= at.figure.start]
    behind = places.places[next_one : min(last, next_one + 2)]
    found: dict[str, Candidate] = {}

    def add(name: str, place: NamedPlace | None, where: dict[str, float]) -> None:
        key = place_name_key(name)
        if key in found:
            return
        features = where | places.features(key, place, title, article)
        if wanted is not None:
            same = (place.level if place else 2) == wanted
            features |= {"whole, same level": float(same), "whole, other level": float(not same)}
        if place:
            features |= _surroundings(text, place)
        found[key] = Candidate(place or name, features)

    if behind and _AT_UNIT.fullmatch(text, at.figure.end, behind[0].start):
        add(behind[0].name, behind[0], {"at unit": 1.0, "in sentence": 1.0})
    for number, place in enumerate(before):
        where = {"in sentence": 1.0, "nearest before": float(number == 0), "before": 1.0}
        where["attribution"] = float(place.start < attributed)
        where["opens"] = float(place.start - at.sentence.start < 40)
        where["label"] = float(bool(re.fullmatch(r"\s?[:(–-]?\s?", text[place.end : at.figure.start])))
        where["since the figure before"] = float(place.start >= at.since > at.sentence.start)
        add(place.name, place, where)
    for number, place in enumerate(behind):
        apart = bool(re.search(r"[.;\d]|, |so với", text[at.figure.end : place.start]))
        add(
            place.name,
            place,
            {"in sentence": 1.0, "behind": 1.0, "nearest behind": float(number == 0), "behind, apart": float(apart)},
        )
    earlier = _sentences_before(at)
    for number, place in enumerate(places.before(at.sentence.start, above)):
        is_next = not earlier or place.start >= earlier[-1].start
        add(place.name, place, {"earlier": 1.0, "nearest earlier": float(number == 0), "sentence before": float(is_next)})
    for number, place in enumerate(places.nearest_above(above)):
        add(place.name, place, {"above": 1.0, "nearest above": float(number == 0)})
    if title:
        add(title, None, {"title": 1.0})
    if article:
        add(article, None, {"article": 1.0})
    return [*found.values(), Candidate(None, {"none": 1.0, "none, whole": float(bool(whole))})]


def _sentences_before(at: Position) -> Sequence[Span]:
    """Return the last sentences of the paragraph before that of a figure."""
    end = bisect_left(at.bounds, at.sentence)
    if end and at.bounds[end - 1].end > at.sentence.start:
        end -= 1
    return at.bounds[max(0, end - _REACH) : end]


# Times


def time_candidates(
    text: str, dates: Sequence[DateMention], at: Position, section: DateMention | None, title: DateMention | None
) -> list[Candidate]:
    """Return the times that a figure may be of.

    They are those in and before its sentence, the section's, the title's, and none.
    """
    has_own = float(own_frame(text, at.sentence))
    near = sorted(_dates_in(dates, at.sentence), key=lambda date: abs(date.start - at.figure.start))[:_NEAREST]
    inside = sorted(date for date in near if is_usable(text, date, at.sentence))
    before = [date for date in inside if date.end <= at.figure.start]
    behind = [date for date in inside if date.start >= at.figure.end]
    known = float(bool(inside))
    found = []
    for number, date in enumerate(reversed(before)):
        where = {"in sentence": 1.0, "before": 1.0, "nearest before": float(number == 0), f"kind {date.kind}": 1.0}
        where["opens"] = float(opens_frame(date, at.sentence))
        where["since the figure before"] = float(date.start >= at.since > at.sentence.start)
        where["figure between"] = float(bool(re.search(r"\d", text[date.end : at.figure.start])))
        found.append(Candidate(date, where))
    for number, date in enumerate(behind):
        between = text[at.figure.end : date.start]
        where = {"in sentence": 1.0, "behind": 1.0, "nearest behind": float(number == 0), f"behind, {date.kind}": 1.0}
        where["behind, apart"] = float(bool(re.search(r"[;,.]|\d|(?<!\w)(?:và|lên|xuống)(?!\w)", between)))
        found.append(Candidate(date, where))
    broken = bool(has_own)
    for back, span in enumerate(reversed(_sentences_before(at))):
        usable = [date for date in _dates_in(dates, span)[-_MOST:] if is_usable(text, date, span)]
        for date in reversed(usable):
            where = {"earlier": 1.0, "sentence before": float(back == 0), f"earlier, {date.kind}": 1.0, "earlier, known": known}
            where["earlier, opens"] = float(opens_frame(date, span))
            where["earlier, up to"] = float(date.kind == "as-of" and opens_frame(date, span))
            where["broken"] = float(broken)
            found.append(Candidate(date, where))
        broken = broken or own_frame(text, span)
    paragraph = _first_from(dates, at.bounds[0].start)
    last_two = dates[max(0, paragraph - 2) : paragraph]
    above = [date for date in last_two if date.kind == "as-of" and is_usable(text, date, Span(0, len(text)))]
    of_above = {"above": 1.0, "above, own time": has_own, "above, known": known}
    found.extend(Candidate(date, of_above) for date in above[-1:])
    for name, period in (("section", section), ("title", title)):
        if period:
            where = {name: 1.0, f"{name}, own time": has_own, f"{name}, known": known, f"{name}, {period.kind}": 1.0}
            found.append(Candidate(period, where))
    return [*found, Candidate(None, {"none": 1.0, "none, own time": has_own, "none, known": known})]


def _dates_in(dates: Sequence[DateMention], span: Span) -> Sequence[DateMention]:
    return dates[_first_from(dates, span.start) : _first_from(dates, span.end)]


def _first_from(dates: Sequence[DateMention], offset: int) -> int:
    """Return the number of the first date that begins at `offset` or behind it."""
    return bisect_left(dates, offset, key=lambda date: date.start)
