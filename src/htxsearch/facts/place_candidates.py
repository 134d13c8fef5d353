"""The places that a figure may be of, each with its features."""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from htxsearch.facts.attachment import Candidate, Position, sentences_before
from htxsearch.facts.places import (
    ATTRIBUTION,
    LEVELS,
    ONE_BODY,
    PERSON,
    UPPER,
    WHOLE,
    NamedPlace,
    bare_name,
    level_of,
    place_name_key,
)

__all__ = ["TextPlaces", "place_candidates"]

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
_HOME = re.compile(
    r"(?:HTX|[Hh]ợp tác xã|THT|[Cc]ông ty|[Qq]uỹ|[Tt]ổ hợp tác) [^.;:\n]{2,60}[,( ](?:\(|ở |tại |của |thuộc |, )?$"
)
"""What stands before the place that a body is in: HTX Trí Lực Vàng ở huyện Thới Bình."""
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
"""Sentences back that may open with a place."""
_LEAD = 300
"""Characters of a text that are its lead."""
_MOST = 40
"""Places of one sentence or paragraph that are looked at: no more than a text of thousands needs."""


class TextPlaces:
    """The places of a text, with what is counted once for all its figures."""

    def __init__(self, title: str, text: str, places: Sequence[NamedPlace]) -> None:
        self.of_rules = bool(_NORM.search(title))
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
                for one in PERSON.finditer(text, max(0, place.start - 60), place.start)
                if "." not in text[one.end() : place.start]
            ]
            if named and place.level >= 3:
                self.of_person.setdefault(named[-1]["name"].split()[-1], place)

    def before(self, offset: int, least: int = 0) -> list[NamedPlace]:
        """Return the last places that begin before `offset`, nearest first.

        The places with a number below `least` are left out.
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
    text: str,
    places: TextPlaces,
    at: Position,
    title: str | None,
    article: str | None,
    section: NamedPlace | None,
    outer: NamedPlace | None,
) -> list[Candidate]:
    """Return the places that a figure may be of.

    They are those before and in its sentence, the section's, the title's, the article's, and none. A place is taken where it is
    found first.
    """
    found = _FoundPlaces(text, places, at, title, article)
    found.add_of_sentence()
    found.add_earlier()
    found.add_of_headings(section, outer)
    found.add_above()
    if title:
        found.add(title, None, {"title": 1.0})
    if article:
        found.add(article, None, {"article": 1.0})
    return [*found.candidates.values(), found.none()]


class _FoundPlaces:
    """The places found so far for a figure, by their keys.

    `wanted` and `actor` are the levels of areas that its sentence means without a name.
    """

    def __init__(self, text: str, places: TextPlaces, at: Position, title: str | None, article: str | None) -> None:
        self.text, self.places, self.at = text, places, at
        self.title, self.article = title, article
        self.above, self.first = (bisect_left(places.starts, offset) for offset in (at.bounds[0].start, at.sentence.start))
        self.wanted, self.actor = _wanted_level(text, at)
        self.about_body = bool(ONE_BODY.search(text, at.sentence.start, at.figure.start))
        self.before = [place for place in places.before(at.figure.start, self.first) if place.end <= at.figure.start]
        self.has_own = float(bool(self.before))
        self.candidates: dict[str, Candidate] = {}

    def add(self, name: str, place: NamedPlace | None, where: dict[str, float]) -> None:
        """Add a place with the features of where it stands, unless it was found before."""
        key = place_name_key(name)
        if key in self.candidates:
            return
        level = place.level if place else level_of(name)
        features = where | self.places.features(key, level, self.title, self.article)
        if self.wanted is not None:
            same = level == self.wanted
            features |= {"whole, same level": float(same), "whole, other level": float(not same)}
        if self.actor is not None:
            same = level == self.actor
            features |= {"actor, same level": float(same), "actor, other level": float(not same)}
        if self.about_body:
            features[f"of one body, level {level}"] = 1.0
        if place:
            features |= _surroundings(self.text, place)
            if place.level > level_of(place.name):  # without its kind, as often the place of someone else
                features |= {"bare": 1.0, f"bare, {next(iter(where))}": 1.0}
        self.candidates[key] = Candidate(place or name, features)

    def add_of_sentence(self) -> None:
        """Add the places of the figure's sentence."""
        text, at = self.text, self.at
        next_one, last = (bisect_left(self.places.starts, offset) for offset in (at.figure.end, at.sentence.end))
        behind = self.places.places[next_one : min(last, next_one + 2)]
        if behind and (unit := _AT_UNIT.fullmatch(text, at.figure.end, behind[0].start)):
            linked = float(bool(unit["link"]))
            self.add(behind[0].name, behind[0], {"at unit": 1.0, "at unit, linked": linked, "in sentence": 1.0})
        attributed = max((match.end() for match in ATTRIBUTION.finditer(text, at.sentence.start, at.figure.start)), default=0)
        for number, place in enumerate(self.before):
            self.add(place.name, place, _before_figure(text, at, place, is_nearest=number == 0, attributed=attributed))
        for number, place in enumerate(behind):
            apart = float(bool(re.search(r"[.;\d]|, |so với", text[at.figure.end : place.start])))
            where = {"in sentence": 1.0, "behind": 1.0, "nearest behind": float(number == 0), "behind, apart": apart}
            self.add(place.name, place, where)

    def add_earlier(self) -> None:
        """Add the places of the sentences before.

        The place of a person who is named in the figure's sentence is the first.
        """
        person = _place_of_person(self.text, self.places, self.at)
        if person:
            self.add(person.name, person, {"of person": 1.0, "of person, own place": self.has_own})
        known = {"earlier, own place": self.has_own} if self.has_own else {}
        earlier = sentences_before(self.at, _REACH)
        for number, place in enumerate(self.places.before(self.at.sentence.start, self.above)):
            is_next = not earlier or place.start >= earlier[-1].start
            opens = any(
                place.start == span.start or _OPENS_AT.fullmatch(self.text, span.start, place.start) for span in earlier
            )
            where = {"earlier": 1.0, "nearest earlier": float(number == 0), "sentence before": float(is_next)}
            self.add(place.name, place, where | known | {"earlier, opens": float(opens)})

    def add_of_headings(self, section: NamedPlace | None, outer: NamedPlace | None) -> None:
        """Add the places of the headings above the figure."""
        for named, heading in (("section", section), ("outer section", outer)):
            if heading:
                self.add(heading.name, heading, {named: 1.0, f"{named}, own place": self.has_own})

    def add_above(self) -> None:
        """Add places of the paragraphs before.

        They are the home of a body, the nearest ones, and the last of the level that is meant.
        """
        home = self.places.last_of(self.places.homes, self.first) if self.about_body else None
        if home:
            self.add(home.name, home, {"home": 1.0, "home, own place": self.has_own})
        for number, place in enumerate(self.places.nearest_above(self.above)):
            where = {"above": 1.0, "nearest above": float(number == 0), "above, own place": self.has_own}
            self.add(place.name, place, where)
        for level in {self.wanted, self.actor} - {None}:
            last_of_level = self.places.last_of(self.places.of_level.get(level, ()), self.first)  # type: ignore[arg-type]
            if last_of_level:
                self.add(last_of_level.name, last_of_level, {"above": 1.0, "last of the level": 1.0})

    def none(self) -> Candidate:
        """Return the candidate that the figure is of no place."""
        norm = float(bool(_NORM.search(self.text, self.at.sentence.start, self.at.figure.start)))
        features = {"none": 1.0, "none, whole": float(self.wanted is not None), "none, norm": norm}
        features["none, one body"] = float(self.about_body)
        features["none, title"] = float(self.title is not None)
        features["none, rules"] = float(self.places.of_rules)
        features["none, few places"] = float(len(self.places.places) < _FEW)
        return Candidate(None, features)


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
    for match in PERSON.finditer(text, at.sentence.start, at.figure.start):
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
