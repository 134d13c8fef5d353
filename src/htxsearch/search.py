"""Asking an engine: queries, articles, and articles like one. Knows no folder and writes nothing."""

import datetime
import difflib
import heapq
import json
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from htxsearch.article import Article
from htxsearch.catalogue import read_short_forms
from htxsearch.correct import read_keystrokes, suggestion
from htxsearch.engine.seam import AnyTerm, Boolean, DateRange, Engine, Hit, Leaf, Node, OneOf, Phrase
from htxsearch.errors import UnknownArticle, UsageError
from htxsearch.expand import Asked, Expander, Plan, Weights
from htxsearch.highlight import highlights
from htxsearch.precision import DEPTH, Evidence, Meaning, Ranked, evidence, rerank, stage_one_only
from htxsearch.query import Dates, Group, Value, Words, parse
from htxsearch.rank import Question
from htxsearch.reprints import differences, holds, is_reprint, read_groups
from htxsearch.results import (
    Answer,
    Answers,
    ArticleView,
    Passage,
    RelatedArticle,
    RelatedArticles,
    Reprint,
    Reprints,
    Results,
    SearchHit,
)
from htxsearch.suggest import Completer, Suggestion, has_all
from htxsearch.text.analysis import analyse
from htxsearch.text.dates import date_range
from htxsearch.text.normalize import is_marked, key, nfc, normal
from htxsearch.text.passages import passages
from htxsearch.text.places import canonical_place, near_place, province_now
from htxsearch.text.sentences import Span
from htxsearch.text.tokens import has_tokens, tokens

if TYPE_CHECKING:
    from htxsearch.answer.question import Asking
    from htxsearch.answer.reading import Found
    from htxsearch.answer.scorer import Choice
    from htxsearch.related import Similarity

__all__ = ["FACETS", "Searcher", "Sort"]

FACETS = ("place", "province", "year", "source")
_MOST_HITS = 10_000
_READ_PASSAGES = 10
_NO_ANSWER = (
    "no passage found answers it surely enough; name the place, the year or the organisation, or read the nearest passages"
)
_LEAST_FOR_TITLES = 4
"""Characters typed before titles are suggested: fewer say nothing of which, and are typed in no time."""
_GRAMS, _LIKELY = 60, 200
"""Ids near an unknown one are sought among the 200 with most of its first 60 trigrams: all 20,000 take .6 s, these .04."""

Sort = Literal["score", "date"]


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What of the answer the caller wants to see."""

    limit: int
    offset: int
    sort: Sort
    facets: tuple[str, ...]
    all_passages: bool
    all_reprints: bool
    explain: bool
    meaning: Meaning | None

    @property
    def end(self) -> int:
        """The place behind the last wanted hit."""
        return self.offset + self.limit


class _Alike:
    """Which articles print the same text."""

    def __init__(self, groups: Mapping[str, tuple[str, ...]]) -> None:
        self._groups = groups
        self.spare = len(groups) - len(set(groups.values()))
        """How many articles there are at most that stand behind another one."""

    def group(self, article_id: str) -> tuple[str, ...]:
        """Return the articles with the text of one of them, at least itself."""
        return self._groups.get(article_id, (article_id,))

    def first_of_each(self, ranked: Sequence[Ranked]) -> list[Ranked]:
        """Return the first of each group, in order."""
        found: dict[str, Ranked] = {}
        for one in ranked:
            found.setdefault(self.group(one.hit.article_id)[0], one)
        return list(found.values())


class _Records(dict[str, dict[str, Any]]):
    """The records of articles, each read from the engine once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __missing__(self, article_id: str) -> dict[str, Any]:
        self[article_id] = json.loads(self._engine.record(article_id) or "")
        return self[article_id]

    def passage(self, hit: Hit) -> str:
        """Return the text of a passage."""
        start, end = self[hit.article_id]["passages"][hit.passage]
        text: str = self[hit.article_id]["body"][start:end]
        return text

    def earliest(self, article_ids: Iterable[str]) -> list[str]:
        """Return articles by their dates, those without one last, ties by id."""
        return sorted(article_ids, key=lambda one: (self[one]["date"] or "9999-99-99", one))

    def reprint(self, article_id: str) -> Reprint:
        """Return what is shown of an article that stands behind another one."""
        record = self[article_id]
        return Reprint(article_id=article_id, title=record["title"], date=_day(record["date"]), source=record["source"])


class _Looked(NamedTuple):
    """A question as it was read, and the passages its answer is looked for in."""

    engine: Engine
    read: str
    group: Group
    plan: Plan
    ranked: list[Ranked]
    restored: str | None
    arrays: Question | None
    asking: "Asking"
    found: "list[Found]"


class Searcher:
    """Answers questions from an engine. `Index` is one that also keeps the engine's folder."""

    _meaning_trouble: str | None = None
    """Why meaning was left out where vectors are there to rank by it."""
    _groups: "tuple[int, _Alike] | None" = None
    """The generation of the engine, and its groups of reprints."""
    _completer: tuple[int, Completer] | None = None

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._expander: tuple[int, Expander] | None = None
        self._similarity: tuple[int, Similarity] | None = None

    def _current(self) -> Engine:
        """Return the engine to ask, with the last commit visible."""
        self._engine.refresh()
        return self._engine

    def _meaning(self, wanted: bool | None) -> Meaning | None:
        """Return what is needed to rank by meaning, None without. Raises UsageError if it is wanted and not there."""
        if wanted:
            raise UsageError("an engine alone keeps no vectors of its passages; ask an Index")
        return None

    def search(
        self,
        query: str,
        *,
        place: str | Sequence[str] = (),
        source: str | Sequence[str] = (),
        since: str | datetime.date | None = None,
        until: str | datetime.date | None = None,
        limit: int = 10,
        offset: int = 0,
        sort: Sort = "score",
        facets: Sequence[str] = (),
        all_passages: bool = False,
        all_reprints: bool = False,
        explain: bool = False,
        semantic: bool | None = None,
    ) -> Results:
        """Return the passages that answer `query`, best first; of each article only the best one.

        Of articles with the same text, one is a hit unless `all_reprints` or `all_passages` is asked for: the earliest that
        matches and has the best passage, or with `sort="date"` the newest; the others are its `reprints`.

        The options narrow the query as its own fields do; several places or sources are alternatives.
        A date may be 2019, 9/2019, 7/8/2023 or ISO; `since` takes its first day, `until` its last. `semantic`
        ranks by meaning, too; None does so if the extra is installed and the passages have vectors.

        Raises QuerySyntaxError, UsageError for an option that cannot be, ExtraMissing, IndexFailure.
        """
        started = time.perf_counter()
        _check_options(limit, offset, sort, facets)
        parse(query)  # what is wrong is shown as it was typed
        filters: list[Dates | tuple[Value, ...]] = [*_values("place", place), *_values("source", source)]
        filters += _dates(since, until)
        engine = self._current()
        apart = all_reprints or all_passages
        wanted = _Wanted(limit, offset, sort, tuple(facets), all_passages, apart, explain, self._meaning(semantic))
        read = read_keystrokes(query, engine)
        found = self._answer(engine, read, filters, wanted)
        mended = suggestion(read, engine)
        if mended and not found.total:
            again = self._answer(engine, mended, filters, wanted)
            if again.total:
                found, read = again, mended
        if self._meaning_trouble and semantic is None:
            found = replace(found, hints=(*found.hints, f"ranked without meaning: {self._meaning_trouble}"))
        took = (time.perf_counter() - started) * 1000
        return replace(found, query=query, took_ms=took, read_as=read if read != query else None, suggestion=mended)

    def _answer(self, engine: Engine, query: str, filters: Sequence[Dates | tuple[Value, ...]], wanted: "_Wanted") -> Results:
        """Return the answer to a query as it stands."""
        group = parse(query)
        expander = self._expander_of(engine)
        plan = expander.plan(group)
        by_date = wanted.sort == "date" or not _scores(plan.node)
        node = Boolean((plan.node, *(expander.filter(one, plan) for one in filters)), expander.preferences(group))
        alike = _Alike({}) if wanted.all_reprints else self._alike(engine)
        found = engine.search(
            node,
            limit=wanted.end + alike.spare if by_date else DEPTH,
            per_article=by_date and not wanted.all_passages,
            by_date=by_date,
            facets=tuple(dict.fromkeys("place" if name == "province" else name for name in wanted.facets)),
            explain=wanted.explain,
        )
        restored = None
        total = found.total if wanted.all_passages else found.articles
        records = _Records(engine)
        if by_date:
            ranked = [stage_one_only(hit) for hit in found.hits]
        else:
            meaning = wanted.meaning and wanted.meaning._replace(adds=not filters and _only_words(group))
            best, restored, _ = rerank(engine, expander.asked(group), query, found.hits, meaning)
            ranked = self._ranked(engine, node, best, wanted, alike)
            total = max(total, len(ranked))
        page = (ranked if wanted.all_passages else alike.first_of_each(ranked))[wanted.offset : wanted.end]
        shown = page if by_date else [_earliest(one, ranked, plan, records, alike) for one in page]
        return Results(
            query=query,
            total=total,
            took_ms=0.0,
            hits=tuple(_hit(one, plan, records, alike, explain=wanted.explain) for one in shown),
            facets={name: _counts(found.facets, name) for name in wanted.facets},
            expansions=tuple(plan.expansions),
            hints=_hints(plan, group, bool(filters), nothing=not found.total),
            restored=restored,
            semantic=wanted.meaning is not None and not by_date,
        )

    def ask(
        self,
        question: str,
        *,
        place: str | Sequence[str] = (),
        source: str | Sequence[str] = (),
        since: str | datetime.date | None = None,
        until: str | datetime.date | None = None,
        limit: int = 3,
    ) -> Answers:
        """Return the answer to a question as a literal span of an article, or none if no span is likely enough.

        The options narrow the articles as those of `search` do; `limit` is how many other answers and passages are shown.
        The question is plain text: signs of the query language mean nothing in it.

        Raises UsageError for an option that cannot be or an empty question, IndexFailure.
        """
        from htxsearch.answer.question import plain_question
        from htxsearch.answer.scorer import choices, learnt_answers
        from htxsearch.answer.settle import settle

        started = time.perf_counter()
        _check_options(limit, 0, "score", ())
        plain = plain_question(question)
        if not has_tokens(plain):
            raise UsageError('the question is empty; ask one, as in: htxsearch ask "Thái Nguyên có bao nhiêu hợp tác xã?"')
        filters: list[Dates | tuple[Value, ...]] = [*_values("place", place), *_values("source", source)]
        filters += _dates(since, until)
        looked = self._look(plain, filters)
        chosen = choices(looked.arrays, looked.asking, looked.found) if looked.arrays else []
        answers = [self._answer_of(looked, one) for one in chosen]
        answer, others = settle(looked.asking, answers)
        given = answer if answer and answer.confidence >= learnt_answers().threshold else None
        alike, records = self._alike(looked.engine), _Records(looked.engine)
        nearest = alike.first_of_each(looked.ranked)[:limit]
        hits = [_hit(one, looked.plan, records, alike, explain=False) for one in nearest]
        return Answers(
            question=question,
            answer=given,
            others=others[:limit] if given else (),
            passages=tuple(hits),
            sentences=tuple(one.sentence.text for one in sorted(answers, key=lambda one: one is not answer)),
            best=answer,
            read_as=looked.read if looked.read != plain else None,
            restored=looked.restored,
            hints=() if given else (*_hints(looked.plan, looked.group, bool(filters), nothing=not hits), _NO_ANSWER),
            took_ms=(time.perf_counter() - started) * 1000,
        )

    def look(self, question: str) -> "_Looked":
        """Return what an answer is looked for in, to learn from."""
        from htxsearch.answer.question import plain_question

        return self._look(plain_question(question), [])

    def _look(self, plain: str, filters: Sequence[Dates | tuple[Value, ...]]) -> "_Looked":
        """Return the passages nearest to a question, and how it is read."""
        engine = self._current()
        read = read_keystrokes(plain, engine)
        group = parse(read)
        expander = self._expander_of(engine)
        plan = expander.plan(group)
        node = Boolean((plan.node, *(expander.filter(one, plan) for one in filters)), expander.preferences(group))
        found = engine.search(node, limit=DEPTH, per_article=False)
        best = rerank(engine, expander.asked(group), read, found.hits)
        from htxsearch.answer.question import read_question
        from htxsearch.answer.reading import Found

        asking = read_question(read)
        if best.restored and not is_marked(read):
            restored = read_question(f"{best.restored}?")  # has lost the signs of dates
            asking = replace(restored, periods=asking.periods) if restored.kind == asking.kind else asking
        passages = []
        for one in best.ranked[:_READ_PASSAGES]:
            record = json.loads(engine.record(one.hit.article_id) or "")
            start, end = record["passages"][one.hit.passage]
            flags = engine.forward(one.hit.article_id)[one.hit.passage + 1].flags
            passages.append(
                Found(record["body"][start:end], record["title"], one.hit.article_id, one.score, flags, start, record)
            )
        return _Looked(engine, read, group, plan, best.ranked, best.restored, best.question, asking, passages)

    def _answer_of(self, looked: "_Looked", choice: "Choice") -> Answer:
        from htxsearch.answer.settle import as_of

        found = looked.found[choice.passage]
        start, end, sentence, record = choice.start, choice.end, choice.sentence, found.record
        return Answer(
            text=found.text[start:end],
            start=found.start + start,
            end=found.start + end,
            kind=looked.asking.kind,
            confidence=choice.confidence,
            sentence=Passage(
                found.start + sentence.start, found.start + sentence.end, found.text[sentence.start : sentence.end]
            ),
            passage=Passage(found.start, found.start + len(found.text), found.text),
            article_id=found.article,
            title=record["title"],
            date=_day(record["date"]),
            place=record["place"],
            as_of=as_of(found.text, sentence.start, sentence.end, start),
        )

    def stage_one(self, query: str) -> tuple[Engine, Asked, tuple[Hit, ...]]:
        """Return what stage two starts from: the engine, what is asked, and stage one's best passages, ungrouped."""

        engine = self._current()
        group = parse(read_keystrokes(query, engine))
        expander = self._expander_of(engine)
        node = Boolean((expander.plan(group).node,), expander.preferences(group))
        found = engine.search(node, limit=DEPTH, per_article=False)
        return engine, expander.asked(group), found.hits

    def evidence(self, query: str, *, semantic: bool = False) -> Evidence | None:
        """Return what stage two knows of the candidates of a query, to learn from; None if there are none."""
        engine, asked, hits = self.stage_one(query)
        if not (asked.slots and hits):
            return None
        read = read_keystrokes(query, engine)
        meaning = self._meaning(semantic)
        return evidence(engine, asked, read, hits, meaning and meaning._replace(adds=_only_words(parse(read))))

    def _ranked(self, engine: Engine, node: Node, best: Sequence[Ranked], wanted: "_Wanted", alike: "_Alike") -> list[Ranked]:
        """Return stage two's ranking, of each article the best passage, at least as far as the wanted page.

        Behind its end goes on what else stage one found, in its order. What stage two did not see gets scores below its
        last, as far apart as stage one's are.
        """
        single = wanted.all_passages
        ranked = list(best) if single else _first_of_each(best)
        if len(ranked if single else alike.first_of_each(ranked)) < wanted.end and len(best) >= DEPTH:
            limit = wanted.end + DEPTH + alike.spare
            found = engine.search(node, limit=limit, per_article=not single, explain=wanted.explain)
            known = {_identity(one.hit, single) for one in ranked}
            more = [hit for hit in found.hits if _identity(hit, single) not in known]
            last = ranked[-1].score
            for hit in more:
                score = last + hit.score - more[0].score
                ranked.append(Ranked(hit, score, (("stage_one", score),)))
        return ranked

    def _alike(self, engine: Engine) -> "_Alike":
        if self._groups is None or self._groups[0] != engine.generation:
            self._groups = (engine.generation, _Alike(read_groups(engine)))
        return self._groups[1]

    def _expander_of(self, engine: Engine) -> Expander:
        if self._expander is None or self._expander[0] != engine.generation:
            learnt = {short: [one.long for one in meanings] for short, meanings in read_short_forms(engine).items()}
            self._expander = (engine.generation, Expander(engine, learnt, Weights()))
        return self._expander[1]

    def suggest(self, typed: str, *, limit: int = 8) -> tuple[Suggestion, ...]:
        """Return up to `limit` queries that the one being typed may become: words and places, then titles that hold it all.

        Titles are looked for where words and places are few. What cannot be read yet, such as an open quotation mark, has none.
        """
        engine = self._current()
        if self._completer is None or self._completer[0] != engine.generation:
            self._completer = (engine.generation, Completer(engine))
        found = self._completer[1].completions(typed, limit=limit)
        if has_tokens(typed) and len(typed) >= _LEAST_FOR_TITLES and len(found) <= limit // 2:
            with suppress(UsageError):  # it is not finished yet; asking it will say what is wrong
                hits = self.search(_begun(typed), limit=5, semantic=False).hits
                found += tuple(Suggestion(hit.title, "title", hit.article_id) for hit in hits if has_all(hit.title, typed))
        return found[:limit]

    def marked(self, query: str, texts: Sequence[str]) -> list[list[Span]]:
        """Return what a search for `query` marks in each of `texts`. Raises QuerySyntaxError."""
        engine = self._current()
        plan = self._expander_of(engine).plan(parse(read_keystrokes(query, engine)))
        found = [highlights(text, plan.marks) for text in texts]
        return found if any(found) else [highlights(text, plan.faint_marks) for text in texts]

    # Articles

    def article_ids(self) -> list[str]:
        """Return the ids of all articles, sorted."""
        return self._current().article_ids()

    def show(self, article_id: str) -> ArticleView:
        """Return an article as it is indexed. Raises UnknownArticle, with the nearest ids."""
        engine = self._current()
        stored = engine.record(nfc(article_id))
        if stored is None:
            raise UnknownArticle(_unknown(article_id, engine.article_ids()))
        record = json.loads(stored)
        article = Article(
            id=nfc(article_id),
            title=record["title"],
            body=record["body"],
            path=record["path"],
            date=_day(record["date"]),
            place=record["place"],
            source=record["source"],
            url=record["url"],
            author=record["author"],
            crawled=_day(record["crawled"]),
            place_evidence=record["place_evidence"],
        )
        return ArticleView(article, tuple(Span(*span) for span in record["passages"]))

    def reprints(self, article_id: str) -> Reprints:
        """Return the other articles with the text of one, and how each differs from it in numbers. Raises UnknownArticle."""
        article = self.show(article_id).article
        engine = self._current()
        records = _Records(engine)
        others = records.earliest(one for one in self._alike(engine).group(article.id) if one != article.id)
        told = (
            replace(records.reprint(one), differences=tuple(differences(article.body, records[one]["body"]))) for one in others
        )
        return Reprints(records.reprint(article.id), tuple(told))

    def related(self, article_id: str, *, limit: int = 10) -> RelatedArticles:
        """Return the indexed articles most like an indexed one. Raises UnknownArticle, UsageError."""
        return self._related(self.show(article_id).article, limit, indexed=True)

    def related_to(self, article: Article, *, limit: int = 10) -> RelatedArticles:
        """Return the indexed articles most like one that need not be indexed. Raises UsageError."""
        return self._related(article, limit, indexed=False)

    def _related(self, article: Article, limit: int, *, indexed: bool) -> RelatedArticles:
        from htxsearch.related import Similarity

        _check_options(limit, 0, "score", ())
        engine = self._current()
        if self._similarity is None or self._similarity[0] != engine.generation:
            self._similarity = (engine.generation, Similarity(list(engine.vectors())))
        parts = [
            *analyse(article.title, [Span(0, len(article.title))]),
            *analyse(article.body, passages(article.body)),
        ]
        own_id = article.id if indexed else None
        group = self._alike(engine).group(article.id)
        near = self._similarity[1].nearest(article.title, article.body, parts, limit=limit, leave_out=own_id)
        found = []
        for one in near:
            other = self.show(one.article_id).article
            found.append(
                RelatedArticle(
                    article_id=other.id,
                    title=other.title,
                    date=other.date,
                    place=other.place,
                    source=other.source,
                    score=one.score,
                    terms=one.terms,
                    reprint=other.id in group if indexed else is_reprint(article.body, other.body),
                )
            )
        return RelatedArticles(own_id, tuple(found))


def _hit(ranked: Ranked, plan: Plan, records: _Records, alike: _Alike, *, explain: bool) -> SearchHit:
    hit = ranked.hit
    record = records[hit.article_id]
    start, end = record["passages"][hit.passage]
    text = records.passage(hit)
    marked = highlights(text, plan.marks) or highlights(text, plan.faint_marks)
    others = [one for one in alike.group(hit.article_id) if one != hit.article_id]
    return SearchHit(
        article_id=hit.article_id,
        title=record["title"],
        source=record["source"],
        date=_day(record["date"]),
        place=record["place"],
        path=record["path"],
        url=record["url"],
        score=ranked.score,
        passage=Passage(start, end, text),
        highlights=tuple(marked),
        title_highlights=tuple(highlights(record["title"], plan.marks)),
        parts=ranked.parts if explain else (),
        matches=tuple((_describe(leaf), score) for leaf, score in hit.parts),
        reprints=tuple(map(records.reprint, records.earliest(others))),
    )


def _earliest(best: Ranked, ranked: Sequence[Ranked], plan: Plan, records: _Records, alike: _Alike) -> Ranked:
    """Return, in the place of a group's best passage, the best one of the group's earliest article that answers as well.

    That article has the text of the best passage, and its own has all terms of the query that stand there.
    """
    group = alike.group(best.hit.article_id)
    if len(group) == 1:
        return best
    found = {one.hit.article_id: one.hit for one in ranked if one.hit.article_id in group}
    text = records.passage(best.hit)
    wanted = _marked(text, plan)
    for article_id in records.earliest(found):
        hit = found[article_id]
        if hit is best.hit or (wanted <= _marked(records.passage(hit), plan) and holds(records[article_id]["body"], text)):
            return best._replace(hit=hit)
    return best


def _marked(text: str, plan: Plan) -> set[str]:
    return {normal(text[start:end].lower()) for start, end in highlights(text, plan.marks)}


def _begun(typed: str) -> str:
    """Return a query whose last word, if it is of two letters or more, may go on."""
    last = tokens(typed)[-1]
    return f"{typed}*" if last.end == len(typed) and last.end - last.start > 1 and typed[last.start :].isalpha() else typed


def _first_of_each(ranked: Sequence[Ranked]) -> list[Ranked]:
    """Return the first passage of each article, in order."""
    found: dict[str, Ranked] = {}
    for one in ranked:
        found.setdefault(one.hit.article_id, one)
    return list(found.values())


def _identity(hit: Hit, all_passages: bool) -> tuple[str, int]:
    return hit.article_id, hit.passage if all_passages else 0


def _day(iso: str | None) -> datetime.date | None:
    return datetime.date.fromisoformat(iso) if iso else None


def _check_options(limit: int, offset: int, sort: str, facets: Sequence[str]) -> None:
    if not 1 <= limit <= _MOST_HITS:
        raise UsageError(f"limit must be between 1 and {_MOST_HITS}, not {limit}")
    if offset < 0:
        raise UsageError(f"offset must not be negative, but is {offset}")
    if sort not in ("score", "date"):
        raise UsageError(f"cannot sort by {sort!r}; sort by score or date")
    for name in facets:
        if name not in FACETS:
            raise UsageError(f"there is no facet {name!r}; there are {', '.join(FACETS)}")


def _values(field: Literal["place", "source"], typed: str | Sequence[str]) -> list[tuple[Value, ...]]:
    values = (typed,) if isinstance(typed, str) else tuple(typed)
    for value in values:
        if not has_tokens(value):
            raise UsageError(f"{field} is empty; name one, or leave the option out")
    return [tuple(Value(field, value) for value in values)] if values else []


def _dates(since: str | datetime.date | None, until: str | datetime.date | None) -> list[Dates]:
    first, last = _bound(since, "since"), _bound(until, "until")
    if not (first or last):
        return []
    found = Dates(first[0] if first else None, last[1] if last else None)
    if found.since and found.until and found.since > found.until:
        raise UsageError(f"since {found.since} is after until {found.until}; swap them")
    return [found]


def _counts(facets: Mapping[str, Mapping[str, int]], name: str) -> Mapping[str, int]:
    """Return a facet's counts; "province" sums places by the province of today, and leaves out what is in none."""
    if name != "province":
        return facets[name]
    sums: Counter[str] = Counter()
    for place, number in facets["place"].items():
        now = province_now(place)
        if now:
            sums[now] += number
    return dict(sums.most_common())


def _bound(typed: str | datetime.date | None, name: str) -> tuple[datetime.date, datetime.date] | None:
    if typed is None:
        return None
    if isinstance(typed, datetime.date):
        return typed, typed
    days = date_range(typed)
    if days is None:
        raise UsageError(f"{name} {typed!r} is no date; write 2019, 9/2019, 7/8/2023 or 2023-08-07")
    return days


def _scores(node: Node) -> bool:
    """Tell whether anything in a query can score; a query of filters alone is answered newest first."""
    if isinstance(node, Boolean):
        return any(_scores(child) for child in node.must + node.should)
    return isinstance(node, AnyTerm | Phrase)


def _only_words(group: Group) -> bool:
    """Tell whether a query is running words alone, so that what lacks them all is no wrong answer."""
    return all(clause.occur == "should" and isinstance(clause.operand, Words) for clause in group.clauses)


def _describe(leaf: Leaf) -> str:
    if isinstance(leaf, OneOf):
        return f"{leaf.field}: {', '.join(sorted(leaf.values))}"
    if isinstance(leaf, DateRange):
        return f"date: {leaf.since or ''}..{leaf.until or ''}"
    if isinstance(leaf, Phrase):
        return f'{leaf.field}: "' + " ".join("/".join(slot) for slot in leaf.slots) + '"'
    terms = " | ".join(one.term.replace("_", " ") for one in leaf.alternatives)
    return f"{leaf.alternatives[0].field}: {terms}"


def _hints(plan: Plan, group: Group, filtered: bool, *, nothing: bool) -> tuple[str, ...]:
    """Say what was typed that no article has, and, if nothing was found, what to try."""
    hints = []
    if plan.unknown:
        hints.append(f"no article has: {', '.join(dict.fromkeys(plan.unknown))}; check the spelling, or type it without marks")
    hints += [_unknown_value(value) for value in plan.unknown_values]
    hints += dict.fromkeys(plan.notes)
    if not nothing:
        return tuple(hints)
    if filtered:
        hints.append("leave out --place, --source, --since or --until")
    if any(clause.occur != "should" for clause in group.clauses):
        hints.append("leave out + and - : natural text finds whatever fits best")
    return tuple(hints) or ("try other words, or fewer",)


def _unknown_value(value: Value) -> str:
    known = province_now(canonical_place(value.value)) if value.field == "place" else None
    near = near_place(value.value) if value.field == "place" and not known else None
    hint = f"did you mean {near}?" if near else "htxsearch info lists those there are"
    return f"no article has the {value.field} {value.value!r}; {hint}"


def _unknown(article_id: str, known: Sequence[str]) -> str:
    wanted = key(nfc(article_id))
    by_key: Mapping[str, str] = {key(one): one for one in known}
    parts = {wanted[at : at + 3] for at in range(min(len(wanted), _GRAMS))}
    likely = heapq.nlargest(_LIKELY, by_key, key=lambda one: sum(part in one for part in parts))
    near = difflib.get_close_matches(wanted, likely, n=3, cutoff=0.5)
    hint = "did you mean " + " or ".join(by_key[one] for one in near) if near else "htxsearch query finds articles"
    return f"there is no article {article_id!r} in the index; {hint}"
