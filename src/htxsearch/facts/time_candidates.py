"""The times that a figure may be of, each with its features."""

import datetime
import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

from htxsearch.facts.attachment import Candidate, Position, sentences_before
from htxsearch.facts.places import ATTRIBUTION, ONE_BODY, PERSON, WHOLE
from htxsearch.facts.times import FOUNDED, NOW, date_role, opens_frame, own_frame
from htxsearch.text.date_mentions import DateMention

__all__ = ["TextDates", "time_candidates"]

_COMPARED_WITH = re.compile(r"(?:so với|hơn|kém|của|từ|thay vì|mức|gấp[^.;,]{0,12})\s(?:mức )?$", re.IGNORECASE)
"""What stands before a figure of another time: so với 396 HTX."""
_ADJACENT = re.compile(r"\s?\(?(?:(?:vào|trong|hồi|ở|của|đến|cuối|đầu) )*")
_REPORTS = re.compile(
    r"(?<!\w)(?:báo cáo|kết quả|tổng kết|sơ kết|nhìn lại|thống kê|số liệu|tình hình|đại hội|đánh giá)(?!\w)", re.IGNORECASE
)
"""Words of a title or heading that names the period of its figures."""
_RAISED = re.compile(r"(?<!\w)(?:nâng|đưa) (?:tổng|số)(?!\w)", re.IGNORECASE)
"""Words of a level at the end of a period: nâng tổng số HTX lên 470."""
_AIM = re.compile(r"(?<!\w)(?:phấn đấu|mục tiêu|kế hoạch|dự kiến|sẽ|chỉ tiêu|hướng tới)(?!\w)", re.IGNORECASE)
_PAST = re.compile(r"(?<!\w)(?:đã|vừa|trong nhiệm kỳ|trong kỳ|trong năm|thời gian qua|kết quả)(?!\w)", re.IGNORECASE)
_TURN = re.compile(r";|(?<!\w)(?:trong khi|nhưng|song|còn|riêng|tuy nhiên|nay)(?!\w)", re.IGNORECASE)
"""Words and marks behind which a sentence speaks of something else."""
_FEW = 3
"""Dates of a text that has few."""
_FAR = 100
"""Characters between a date and a figure that is far from it."""
_REACH = 4
"""Sentences back in which times are looked for."""
_ABOVE = 4
"""Dates before the paragraph that are looked at."""
_YEAR = 366
"""Days of the longest year: a longer period is a term."""
_NEAREST = 8
"""Dates of a sentence that are looked at."""
_LEAD = 400
"""Characters of a text that are its lead."""
_MOST = 40
"""Times of one sentence that are looked at: no more than a text of thousands needs."""


class TextDates:
    """The dates of a text, with what is counted once for all its figures.

    `section` and `title` are periods that headings name. `reports` is True if the title says that the text reports on a period.
    """

    def __init__(self, title: str, text: str, dates: Sequence[DateMention], of_title: DateMention | None) -> None:
        self.dates = dates
        self.title = of_title
        self.reports = bool(_REPORTS.search(title))
        self.counts = Counter((date.first, date.last) for date in dates if date.first)
        self.most = max(self.counts.values(), default=0)
        lead = [date for date in dates if date.start < _LEAD and date.kind != "other" and not date_role(text, date, 0)]
        self.lead = next((date for date in lead if date.kind == "as-of"), lead[0] if lead else None)

    def is_of_title(self, date: DateMention) -> bool:
        """Return True if a period is the title's, or the end of the title's."""
        return self.title is not None and date in (self.title, _end_of(self.title))

    def between(self, start: int, end: int) -> Sequence[DateMention]:
        """Return the dates that begin between two offsets."""
        return self.dates[self._first_from(start) : self._first_from(end)]

    def before(self, offset: int, most: int) -> Sequence[DateMention]:
        """Return the last dates that begin before an offset."""
        at = self._first_from(offset)
        return self.dates[max(0, at - most) : at]

    def features(self, date: DateMention) -> dict[str, float]:
        """Return the features of a date that are the same for all figures."""
        days = (date.last - date.first).days if date.first and date.last else 0
        same = self.counts[date.first, date.last] if date.first else 0
        features = {f"kind {date.kind}": 1.0, "term": float(days > _YEAR), "recurs": float(same > 1)}
        features["kind share"] = same / max(1, len(self.dates))
        features["kind most frequent"] = float(1 < same == self.most)
        features["kind open"] = float(date.first is None)
        features["kind of one day"] = float(date.first is not None and days == 0)
        features["kind in lead"] = float(date is self.lead)
        title = self.title
        if title and title.first and title.last and date.first and date.last:
            features["kind within title's"] = float(title.first <= date.first and date.last <= title.last)
        return features

    def _first_from(self, offset: int) -> int:
        return bisect_left(self.dates, offset, key=lambda date: date.start)


def time_candidates(
    text: str, dates: TextDates, at: Position, section: DateMention | None, outer: DateMention | None
) -> list[Candidate]:
    """Return the times that a figure may be of.

    They are those in and before its sentence, those above, the section's, the title's, and none, which is the last. A time is
    taken where it is found first.
    """
    found = _FoundTimes(text, dates, at)
    found.add_of_sentence()
    found.add_earlier()
    found.add_above()
    found.add_of_headings(section, outer)
    return [*(Candidate(date, own) for date, own in found.features.items()), found.none()]


class _FoundTimes:
    """The times found so far for a figure, with their features.

    `frame` is what its sentence says of its time without a date.
    """

    def __init__(self, text: str, dates: TextDates, at: Position) -> None:
        self.text, self.dates, self.at = text, dates, at
        self.inside = sorted(
            sorted(dates.between(*at.sentence), key=lambda date: abs(date.start - at.figure.start))[:_NEAREST],
        )
        is_known = any(not date_role(text, date, at.sentence.start) for date in self.inside)
        self.frame = [*_frame(text, at), *(["known"] if is_known else [])]
        self.features: dict[DateMention, dict[str, float]] = {}

    def add(self, date: DateMention, name: str, features: dict[str, float], within: int) -> None:
        """Add a time with the features of where it stands, unless it was found before.

        Its role is read from the text behind the offset `within`.
        """
        if date in self.features:
            return
        own = {name: 1.0, f"{name}, {date.kind}": 1.0} | {f"{name}, {cue}": 1.0 for cue in self.frame} | features
        role = date_role(self.text, date, within) if name not in ("title", "end of term") else ""
        if role:
            own |= {role: 1.0, f"{name}, {role}": 1.0}
        self.features[date] = own | self.dates.features(date)

    def add_of_sentence(self) -> None:
        """Add the times of the figure's sentence."""
        text, at = self.text, self.at
        before = [date for date in self.inside if date.end <= at.figure.start]
        behind = [date for date in self.inside if date.start >= at.figure.end]
        plain = [date for date in before if not date_role(text, date, at.sentence.start)]
        nows = [match.start() for match in NOW.finditer(text, at.sentence.start, at.figure.start)]
        compared = float(bool(_COMPARED_WITH.search(text, max(at.sentence.start, at.figure.start - 30), at.figure.start)))
        for number, date in enumerate(reversed(before)):
            where = _date_before(text, at, date) | {"nearest before": float(number == 0), "compared figure": compared}
            where["nearest plain"] = float(bool(plain) and date is plain[-1])
            where["now between"] = float(bool(nows) and nows[-1] >= date.end)
            self.add(date, "before", where, at.sentence.start)
        for number, date in enumerate(behind):
            between = text[at.figure.end : date.start]
            where = {"nearest behind": float(number == 0)}
            where["behind, apart"] = float(bool(re.search(r"[;,.]|\d|(?<!\w)(?:và|lên|xuống)(?!\w)", between)))
            where["behind, adjacent"] = float(_names_time_of(text, at, date))
            where["founded"] = float(_is_beginning(text, date))
            self.add(date, "behind", where, at.sentence.start)

    def add_earlier(self) -> None:
        """Add the times of the sentences before."""
        broken = "own time" in self.frame
        for back, span in enumerate(reversed(sentences_before(self.at, _REACH))):
            for date in reversed(self.dates.between(*span)[-_MOST:]):
                where = {"sentence before": float(back == 0), "broken": float(broken)}
                where["earlier, opens"] = float(opens_frame(date, span))
                where["earlier, up to"] = float(date.kind == "as-of" and opens_frame(date, span))
                where["earlier, founded"] = float(_is_beginning(self.text, date))
                self.add(date, "earlier", where, span.start)
            broken = broken or own_frame(self.text, span)

    def add_above(self) -> None:
        """Add the last times before the figure's paragraph."""
        start = self.at.bounds[0].start
        for number, date in enumerate(reversed(self.dates.before(start, _ABOVE))):
            line = self.text.rfind("\n", 0, date.start) + 1
            line_end = self.text.find("\n", date.end, start)
            while 0 <= line_end < start and self.text[line_end] == "\n":
                line_end += 1
            where = {"nearest above": float(number == 0), "above, opens": float(date.start - line < 60)}
            where["above, next"] = float(line_end < 0 or line_end >= start)
            self.add(date, "above", where, max(line, date.start - 70))

    def add_of_headings(self, section: DateMention | None, outer: DateMention | None) -> None:
        """Add the times of the headings, of the lead and of the title."""
        title, lead, reports = self.dates.title, self.dates.lead, float(self.dates.reports)
        raised = "raised" in self.frame  # then at the end of a term, not in all of it
        for name, period in (("section", section), ("outer section", outer), ("title", title)):
            if period and _is_term(period):
                of_term = {f"end of term, reports, {cue}": reports for cue in ("any", *self.frame)}
                self.add(_end_of(period), "end of term", of_term, period.start)
            if period and name != "title" and not (raised and _is_term(period)):
                self.add(period, name, {f"{name}, term": _is_term(period)}, period.start)
        if lead and lead.end <= self.at.sentence.start:
            self.add(lead, "lead", {}, 0)
        if title and not (raised and _is_term(title)):
            of_title: dict[str, float] = {"title, term": _is_term(title), "title, reports": reports}
            of_title |= {f"title, reports, {cue}": reports for cue in self.frame}
            self.add(title, "title", of_title, 0)

    def none(self) -> Candidate:
        """Return the candidate that the figure is of no time."""
        features: dict[str, float] = {"none": 1.0} | {f"none, {cue}": 1.0 for cue in self.frame}
        features |= {"none, title": float(self.dates.title is not None), "none, reports": float(self.dates.reports)}
        features["none, lead"] = float(self.dates.lead is not None)
        features["none, few dates"] = float(len(self.dates.dates) <= _FEW)
        return Candidate(None, features)


def _frame(text: str, at: Position) -> list[str]:
    """Return what the words of a figure's sentence say of its time without a date."""
    start, figure = at.sentence.start, at.figure.start
    cues = {
        "own time": own_frame(text, at.sentence),
        "now": NOW.search(text, start, figure) is not None,
        "aim": _AIM.search(text, start, figure) is not None,
        "past": _PAST.search(text, start, figure) is not None,
        "raised": _RAISED.search(text, start, figure) is not None,
        "whole": WHOLE.search(text, start, figure) is not None,
        "person": PERSON.search(text, start, figure) is not None,
        "one body": ONE_BODY.search(text, start, figure) is not None,
        at.unit: True,
    }
    return [name for name, holds in cues.items() if holds]


def _end_of(period: DateMention) -> DateMention:
    """Return the last year of a period: what is so now at the end of a term."""
    year = period.last.year if period.last else 1
    return period._replace(first=datetime.date(year, 1, 1), last=datetime.date(year, 12, 31), kind="as-of")


def _is_term(period: DateMention) -> float:
    return float(bool(period.first and period.last and (period.last - period.first).days > _YEAR))


def _date_before(text: str, at: Position, date: DateMention) -> dict[str, float]:
    """Return the features of a date that stands before the figure in its sentence."""
    between = text[date.end : at.figure.start]
    return {
        "opens": float(opens_frame(date, at.sentence)),
        "since the figure before": float(date.start >= at.since > at.sentence.start),
        "figure between": float(bool(re.search(r"\d", between))),
        "speech between": float(ATTRIBUTION.search(between) is not None),
        "turn between": float(_TURN.search(between) is not None),
        "far": float(len(between) > _FAR),
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
