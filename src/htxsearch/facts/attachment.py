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
from pathlib import Path
from typing import NamedTuple

from htxsearch.facts.places import LEVELS, UPPER, WHOLE, NamedPlace, bare_name, level_of, place_name_key
from htxsearch.facts.times import FOUNDED, NOW, is_usable, opens_frame, own_frame
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
    weights: dict[str, dict[str, float]] = json.loads(Path(__file__).with_name("attachment.json").read_text("utf-8"))
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
_AT_UNIT = re.compile(
    r"(?: [^\W\d_]+){0,2}(?:, thành(?: phố)?)? (?P<link>(?:ở|tại|của|trên địa bàn|cho|trong|thuộc|khu vực|vùng) ){0,2}(?:các )?"
)
_EVENT = re.compile(
    r"(?:(?:sáng|chiều|tối|ngày|hôm)\s(?:\d{1,2}[/.-]\d{1,2}(?:[/.-]\d{4})?|qua|nay)[^.;]{0,12}|\)),? (?:tại|ở) $",
    re.IGNORECASE,
)
"""Where something was held: chiều 17/6 tại Hà Nam."""
_OPENS_AT = re.compile(r"[\W_]{0,3}(?:Tại|Ở|Riêng|Trên địa bàn|Với|Còn|Cùng với)(?: (?:tại|ở))?(?: các)?(?: tỉnh| huyện)? $")
_NORM = re.compile(
    r"(?<!\w)(?:quy định|điều kiện|tiêu chí|tối thiểu|tối đa|không quá|phải|xử phạt|nghị định|thông tư|được hưởng"
    r"|mức hỗ trợ)(?!\w)",
    re.IGNORECASE,
)
_ACTOR = re.compile(
    rf"(?<!\w)(?:(?:UBND|HĐND|Liên minh HTX|[Hh]ội [Nn]ông dân|[Ss]ở [^,.;]{{0,30}}|[Nn]gành [^,.;]{{0,20}}) )?"
    rf"(?P<kind>[Tt]ỉnh|[Hh]uyện|[Tt]hị xã|[Tt]hành phố|(?<!tác )[Xx]ã)(?! [{UPPER}])"
    r"(?= (?:đã|có|sẽ|chi|hỗ trợ|phấn đấu|đặt|dành|đang|cấp|còn|hiện|mới|cho|giao|đề nghị|yêu cầu|tổ chức"
    r"|thành lập|khuyến cáo|cũng|này|ta)(?!\w))"
)
"""An area that acts without its name: tỉnh chi 43 tỷ đồng."""
_ONE_BODY = re.compile(
    r"(?<!\w)(?<!các )(?<!những )(?<!nhiều )(?<!mỗi )(?<!số )(?<!\d )"
    r"(?:HTX|[Hh]ợp tác xã|[Đđ]ơn vị|[Tt]ổ hợp tác|[Qq]uỹ|[Cc]ông ty)"
    rf"(?: này| đã| có| hiện| còn| bán| thu| đạt| đang| sẽ| vẫn| trồng| xuất| chia| trích| trả| nộp| mở| cũng"
    rf"| phấn đấu| ký| lãi| [{UPPER}])"
)
"""One body as that which a sentence is about: HTX bán 146 tấn, HTX này."""
_HOME = re.compile(
    r"(?:HTX|[Hh]ợp tác xã|THT|[Cc]ông ty|[Qq]uỹ|[Tt]ổ hợp tác) [^.;:\n]{2,60}[,( ](?:\(|ở |tại |của |thuộc |, )?$"
)
"""What stands before the place that a body is in: HTX Trí Lực Vàng ở huyện Thới Bình."""
_PERSON = re.compile(rf"(?<!\w)(?:[Ôô]ng|[Bb]à|[Aa]nh|[Cc]hị) (?P<name>(?:[{UPPER}][^\W\d_]*)(?: [{UPPER}][^\W\d_]*){{0,3}})")
_COMPARED = re.compile(
    r"(?:chiếm|so với|đứng (?:đầu|thứ)|nhất|hàng đầu|bình quân chung(?: của)?|sang|thị trường|nhập khẩu|xuất khẩu"
    r"|đến)(?:[^.;:]{0,40}?)$",
    re.IGNORECASE,
)
_MARKET = re.compile(
    r"(?<!\w)(?:sang|thị trường|nhập khẩu(?: từ)?|xuất khẩu|cho|từ|ra|bán|giống)(?: tỉnh| các tỉnh)? $", re.IGNORECASE
)
_OF_BODY = re.compile(
    r"(?:HTX|[Hh]ợp tác xã|[Cc]ông ty|[Bb]áo|THT|Liên minh|UBND|Sở|Chủ tịch|Bí thư|[Gg]iám đốc)[^,.;:()\d]{0,40}$"
)
_HAS = re.compile(r"\s(?:hiện )?(?:có|đạt|hiện|đã|chỉ|ước|mới|còn|phấn đấu|sẽ|là)(?!\w)|:")
_AT = re.compile(r"(?:ở|tại|trên địa bàn|của|cho|toàn) (?:tỉnh |huyện |xã |các )?$", re.IGNORECASE)
_FEW = 4
"""Places of a text that has few."""
_REACH = 4
"""Sentences back in which times are looked for."""
_YEAR = 366
"""Days of the longest year: a longer period is a term."""
_NEAREST = 8
"""Dates of a sentence that are looked at."""
_LEAD = 300
"""Characters of a text that are its lead."""
_MOST = 40
"""Places and times of one sentence or paragraph that are looked at: no more than a text of thousands needs."""


class TextPlaces:
    """The places of a text, with what is counted once for all its figures."""

    def __init__(self, text: str, places: Sequence[NamedPlace]) -> None:
        self.places = places
        self.starts = [place.start for place in places]
        self.counts = Counter(bare_name(place.key) for place in places)
        self.frequent = self.counts.most_common(1)[0][0] if places else ""
        self.of_frequent = [at for at, place in enumerate(places) if bare_name(place.key) == self.frequent]
        self.of_level: dict[int, list[int]] = {}
        for at, place in enumerate(places):
            self.of_level.setdefault(place.level, []).append(at)
        self.homes = [
            at
            for at, place in enumerate(places)
            if place.level >= 2 and _HOME.search(text, max(0, place.start - 70), place.start)
        ]
        self.in_lead = {place.key for place in places if place.start < _LEAD}
        self.of_person: dict[str, NamedPlace] = {}
        for place in places:
            named = [
                one
                for one in _PERSON.finditer(text, max(0, place.start - 60), place.start)
                if "." not in text[one.end() : place.start]
            ]
            if named and place.level >= 3:
                self.of_person.setdefault(named[-1]["name"].split()[-1], place)

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

    def last_of(self, ats: Sequence[int], number: int) -> NamedPlace | None:
        """Return the last of the places `ats` that is before the place `number`."""
        at = bisect_left(ats, number) - 1
        return self.places[ats[at]] if at >= 0 else None

    def features(self, key: str, level: int, title: str | None, article: str | None) -> dict[str, float]:
        """Return the features of a place that are the same for all figures."""
        return {
            f"level {level}": 1.0,
            "frequent": float(bare_name(key) == self.frequent),
            "share": self.counts[bare_name(key)] / max(1, len(self.places)),
            "in lead": float(key in self.in_lead),
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
        "event": float(bool(_EVENT.search(text, max(0, place.start - 45), place.start))),
        "in brackets": float(text[place.start - 1 : place.start] == "("),
        "of market": float(bool(_MARKET.search(text, max(0, place.start - 40), place.start))),
    }


def place_candidates(
    text: str, places: TextPlaces, at: Position, title: str | None, article: str | None, section: NamedPlace | None
) -> list[Candidate]:
    """Return the places that a figure may be of.

    They are those before and in its sentence, the section's, the title's, the article's, and none.
    """
    above, first, next_one, last = (
        bisect_left(places.starts, offset) for offset in (at.bounds[0].start, at.sentence.start, at.figure.end, at.sentence.end)
    )
    wanted, actor = _wanted_level(text, at)
    about_body = bool(_ONE_BODY.search(text, at.sentence.start, at.figure.start))
    attributed = max((match.end() for match in _ATTRIBUTION.finditer(text, at.sentence.start, at.figure.start)), default=0)
    before = [place for place in places.before(at.figure.start, first) if place.end <= at.figure.start]
    behind = places.places[next_one : min(last, next_one + 2)]
    has_own = float(bool(before))
    found: dict[str, Candidate] = {}

    def add(name: str, place: NamedPlace | None, where: dict[str, float]) -> None:
        key = place_name_key(name)
        if key in found:
            return
        level = place.level if place else level_of(name)
        features = where | places.features(key, level, title, article)
        if wanted is not None:
            same = level == wanted
            features |= {"whole, same level": float(same), "whole, other level": float(not same)}
        if actor is not None:
            same = level == actor
            features |= {"actor, same level": float(same), "actor, other level": float(not same)}
        if about_body:
            features[f"of one body, level {level}"] = 1.0
        if place:
            features |= _surroundings(text, place)
        found[key] = Candidate(place or name, features)

    if behind and (unit := _AT_UNIT.fullmatch(text, at.figure.end, behind[0].start)):
        linked = float(bool(unit["link"]))
        add(behind[0].name, behind[0], {"at unit": 1.0, "at unit, linked": linked, "in sentence": 1.0})
    for number, place in enumerate(before):
        add(place.name, place, _before_figure(text, at, place, is_nearest=number == 0, attributed=attributed))
    for number, place in enumerate(behind):
        apart = bool(re.search(r"[.;\d]|, |so với", text[at.figure.end : place.start]))
        add(
            place.name,
            place,
            {"in sentence": 1.0, "behind": 1.0, "nearest behind": float(number == 0), "behind, apart": float(apart)},
        )
    known = {"earlier, own place": has_own} if has_own else {}
    person = _place_of_person(text, places, at)
    if person:
        add(person.name, person, {"of person": 1.0, "of person, own place": has_own})
    earlier = _sentences_before(at)
    for number, place in enumerate(places.before(at.sentence.start, above)):
        is_next = not earlier or place.start >= earlier[-1].start
        opens = any(place.start == span.start or _OPENS_AT.fullmatch(text, span.start, place.start) for span in earlier)
        where = {"earlier": 1.0, "nearest earlier": float(number == 0), "sentence before": float(is_next)}
        add(place.name, place, where | known | {"earlier, opens": float(opens)})
    if section:
        add(section.name, section, {"section": 1.0, "section, own place": has_own})
    home = places.last_of(places.homes, first) if about_body else None
    if home:
        add(home.name, home, {"home": 1.0, "home, own place": has_own})
    for number, place in enumerate(places.nearest_above(above)):
        add(place.name, place, {"above": 1.0, "nearest above": float(number == 0), "above, own place": has_own})
    for level in {wanted, actor} - {None}:
        last_of_level = places.last_of(places.of_level.get(level, ()), first)  # type: ignore[arg-type]
        if last_of_level:
            add(last_of_level.name, last_of_level, {"above": 1.0, "last of the level": 1.0})
    if title:
        add(title, None, {"title": 1.0})
    if article:
        add(article, None, {"article": 1.0})
    norm = float(bool(_NORM.search(text, at.sentence.start, at.figure.start)))
    none = {"none": 1.0, "none, whole": float(wanted is not None), "none, norm": norm, "none, one body": float(about_body)}
    none["none, title"] = float(title is not None)
    none["none, few places"] = float(len(places.places) < _FEW)
    return [*found.values(), Candidate(None, none)]


def _before_figure(text: str, at: Position, place: NamedPlace, *, is_nearest: bool, attributed: int) -> dict[str, float]:
    """Return the features of a place that stands before the figure in its sentence.

    `attributed` is the end of an attribution: theo ông …, giám đốc …
    """
    between = text[place.end : at.figure.start]
    return {
        "in sentence": 1.0,
        "nearest before": float(is_nearest),
        "before": 1.0,
        "attribution": float(place.start < attributed),
        "opens": float(place.start - at.sentence.start < 40),
        "opens, at": float(bool(_OPENS_AT.fullmatch(text, at.sentence.start, place.start))),
        "begins": float(place.start == at.sentence.start),
        "label": float(bool(re.fullmatch(r"\s?[:(–-]?\s?", between))),
        "since the figure before": float(place.start >= at.since > at.sentence.start),
        "clause between": float(";" in between),
    }


def _place_of_person(text: str, places: TextPlaces, at: Position) -> NamedPlace | None:
    """Return the place of a person who is named before the figure.

    The place was named before the sentence.
    """
    for match in _PERSON.finditer(text, at.sentence.start, at.figure.start):
        place = places.of_person.get(match["name"].split()[-1])
        if place and place.start < at.sentence.start:
            return place
    return None


def _wanted_level(text: str, at: Position) -> tuple[int | None, int | None]:
    """Return the levels of the areas that a sentence means without their names.

    The first is of one that is spoken of, the second of one that acts.

    For example: toàn tỉnh, trong vùng; tỉnh chi.
    """
    whole = list(WHOLE.finditer(text, at.sentence.start, at.figure.start))
    actors = list(_ACTOR.finditer(text, at.sentence.start, at.figure.start))
    return (
        LEVELS[whole[-1]["kind"].lower()] if whole else None,
        LEVELS[actors[-1]["kind"].lower()] if actors else None,
    )


def _sentences_before(at: Position) -> Sequence[Span]:
    """Return the last sentences of the paragraph before that of a figure."""
    end = bisect_left(at.bounds, at.sentence)
    if end and at.bounds[end - 1].end > at.sentence.start:
        end -= 1
    return at.bounds[max(0, end - _REACH) : end]


# Times

_COMPARED_WITH = re.compile(r"(?:so với|hơn|kém|của|từ|thay vì|mức|gấp[^.;,]{0,12})\s(?:mức )?$", re.IGNORECASE)
"""What stands before a figure of another time: so với 396 HTX."""
_ADJACENT = re.compile(r"\s?\(?(?:(?:vào|trong|hồi|ở|của|đến|cuối|đầu) )*")


def time_candidates(
    text: str, dates: Sequence[DateMention], at: Position, section: DateMention | None, title: DateMention | None
) -> list[Candidate]:
    """Return the times that a figure may be of.

    They are those in and before its sentence, the section's, the title's, and none.
    """
    has_own = float(own_frame(text, at.sentence))
    near = sorted(_dates_in(dates, at.sentence), key=lambda date: abs(date.start - at.figure.start))[:_NEAREST]
    compared = float(bool(_COMPARED_WITH.search(text, max(at.sentence.start, at.figure.start - 30), at.figure.start)))
    inside = sorted(
        date for date in near if is_usable(text, date, at.sentence) or (date.kind != "other" and _names_time_of(text, at, date))
    )
    before = [date for date in inside if date.end <= at.figure.start]
    behind = [date for date in inside if date.start >= at.figure.end]
    known = float(bool(inside))
    nows = [match.start() for match in NOW.finditer(text, at.sentence.start, at.figure.start)]
    now = float(bool(nows))
    found = []
    for number, date in enumerate(reversed(before)):
        where = _date_before(text, at, date) | {"nearest before": float(number == 0), "compared figure": compared}
        where["now between"] = float(bool(nows) and nows[-1] >= date.end)
        found.append(Candidate(date, where))
    for number, date in enumerate(behind):
        between = text[at.figure.end : date.start]
        where = {"in sentence": 1.0, "behind": 1.0, "nearest behind": float(number == 0), f"behind, {date.kind}": 1.0}
        where["behind, apart"] = float(bool(re.search(r"[;,.]|\d|(?<!\w)(?:và|lên|xuống)(?!\w)", between)))
        where["behind, adjacent"] = float(_names_time_of(text, at, date))
        where["founded"] = float(_is_beginning(text, date))
        where["behind, now"] = now
        found.append(Candidate(date, where))
    broken = bool(has_own)
    for back, span in enumerate(reversed(_sentences_before(at))):
        usable = [date for date in _dates_in(dates, span)[-_MOST:] if is_usable(text, date, span)]
        for date in reversed(usable):
            where = {"earlier": 1.0, "sentence before": float(back == 0), f"earlier, {date.kind}": 1.0, "earlier, known": known}
            where["earlier, opens"] = float(opens_frame(date, span))
            where["earlier, up to"] = float(date.kind == "as-of" and opens_frame(date, span))
            where["broken"] = float(broken)
            where["earlier, now"] = now
            where["earlier, founded"] = float(_is_beginning(text, date))
            found.append(Candidate(date, where))
        broken = broken or own_frame(text, span)
    paragraph = _first_from(dates, at.bounds[0].start)
    whole = Span(0, len(text))
    last_two = [date for date in dates[max(0, paragraph - 2) : paragraph] if is_usable(text, date, whole)]
    for kind in ("as-of", "event", "planned"):
        above = [date for date in last_two if date.kind == kind]
        of_above = {"above": 1.0, f"above, {kind}": 1.0, f"above, {kind}, own time": has_own, f"above, {kind}, known": known}
        found.extend(Candidate(date, of_above | {f"above, {kind}, now": now}) for date in above[-1:])
    for name, period in (("section", section), ("title", title)):
        if period:
            where = {name: 1.0, f"{name}, own time": has_own, f"{name}, known": known, f"{name}, {period.kind}": 1.0}
            long = float(bool(period.first and period.last and (period.last - period.first).days > _YEAR))
            found.append(
                Candidate(period, where | {f"{name}, now": now, f"{name}, term, now": now * long, f"{name}, term": long})
            )
    return [*found, Candidate(None, {"none": 1.0, "none, own time": has_own, "none, known": known})]


def _date_before(text: str, at: Position, date: DateMention) -> dict[str, float]:
    """Return the features of a date that stands before the figure in its sentence."""
    between = text[date.end : at.figure.start]
    return {
        "in sentence": 1.0,
        "before": 1.0,
        f"kind {date.kind}": 1.0,
        "opens": float(opens_frame(date, at.sentence)),
        "since the figure before": float(date.start >= at.since > at.sentence.start),
        "figure between": float(bool(re.search(r"\d", between))),
        "founded": float(_is_beginning(text, date)),
        "label": float(bool(re.fullmatch(r"\s?[:(–-]\s?", between))),
    }


def _names_time_of(text: str, at: Position, date: DateMention) -> bool:
    """Return True if a date stands right behind a figure.

    For example: 396 HTX cuối năm 2017, 0,9 tỷ đồng (năm 2015).
    """
    return date.start >= at.figure.end and bool(_ADJACENT.fullmatch(text, at.figure.end, date.start))


def _is_beginning(text: str, date: DateMention) -> bool:
    return bool(FOUNDED.search(text, max(0, date.start - 40), date.start))


def _dates_in(dates: Sequence[DateMention], span: Span) -> Sequence[DateMention]:
    return dates[_first_from(dates, span.start) : _first_from(dates, span.end)]


def _first_from(dates: Sequence[DateMention], offset: int) -> int:
    """Return the number of the first date that begins at `offset` or behind it."""
    return bisect_left(dates, offset, key=lambda date: date.start)
