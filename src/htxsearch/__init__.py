"""htxsearch: offline search and answers over a folder of Vietnamese articles.

`Index` is the way in; `htxsearch.errors` says what can go wrong. Names are loaded when first used,
so `import htxsearch` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from htxsearch.engine.contract import Counts
    from htxsearch.errors import HtxError
    from htxsearch.errors.messages import Message
    from htxsearch.facts.extract import Fact
    from htxsearch.index import Index
    from htxsearch.indexing.catalogue import Additions, CatalogueEntry, Plan, Report, ShortForm
    from htxsearch.indexing.edits import Edit
    from htxsearch.indexing.embeddings import EncodeReport
    from htxsearch.indexing.findings import CheckReport, Finding
    from htxsearch.indexing.progress import IndexingProgress
    from htxsearch.indexing.snapshot_file import SnapshotFile
    from htxsearch.ingest.add import AddedFile
    from htxsearch.ingest.article import Article, Doubtful, Dropped, Rejected
    from htxsearch.ingest.subscriptions import Subscription
    from htxsearch.query.complete import Suggestion
    from htxsearch.query.expand import Expansion
    from htxsearch.search.fact_results import (
        FactConflict,
        FactConflicts,
        FactIndicator,
        FactIndicators,
        FactSeries,
        FoundFact,
    )
    from htxsearch.search.facts import FactList
    from htxsearch.search.pipeline import SearchRequest
    from htxsearch.search.reprint_differences import Difference
    from htxsearch.search.results import (
        Answer,
        Answers,
        ArticleView,
        Info,
        Passage,
        RelatedArticle,
        RelatedArticles,
        Reprint,
        Reprints,
        Results,
        SearchHit,
    )
    from htxsearch.search.searcher import Searcher
    from htxsearch.text.sentences import Span

__all__ = [
    "AddedFile",
    "Additions",
    "Answer",
    "Answers",
    "Article",
    "ArticleView",
    "CatalogueEntry",
    "CheckReport",
    "Counts",
    "Difference",
    "Doubtful",
    "Dropped",
    "Edit",
    "EncodeReport",
    "Expansion",
    "Fact",
    "FactConflict",
    "FactConflicts",
    "FactIndicator",
    "FactIndicators",
    "FactList",
    "FactSeries",
    "Finding",
    "FoundFact",
    "HtxError",
    "Index",
    "IndexingProgress",
    "Info",
    "Message",
    "Passage",
    "Plan",
    "Rejected",
    "RelatedArticle",
    "RelatedArticles",
    "Report",
    "Reprint",
    "Reprints",
    "Results",
    "SearchHit",
    "SearchRequest",
    "Searcher",
    "ShortForm",
    "SnapshotFile",
    "Span",
    "Subscription",
    "Suggestion",
]

_HOMES = {
    "AddedFile": "ingest.add",
    "Additions": "indexing.catalogue",
    "Answer": "search.results",
    "Answers": "search.results",
    "Article": "ingest.article",
    "ArticleView": "search.results",
    "CatalogueEntry": "indexing.catalogue",
    "CheckReport": "indexing.findings",
    "Counts": "engine.contract",
    "Difference": "search.reprint_differences",
    "Doubtful": "ingest.article",
    "Dropped": "ingest.article",
    "Edit": "indexing.edits",
    "EncodeReport": "indexing.embeddings",
    "Expansion": "query.expand",
    "Fact": "facts.extract",
    "FactConflict": "search.fact_results",
    "FactConflicts": "search.fact_results",
    "FactIndicator": "search.fact_results",
    "FactIndicators": "search.fact_results",
    "FactList": "search.facts",
    "FactSeries": "search.fact_results",
    "Finding": "indexing.findings",
    "FoundFact": "search.fact_results",
    "HtxError": "errors",
    "Index": "index",
    "IndexingProgress": "indexing.progress",
    "Info": "search.results",
    "Message": "errors.messages",
    "Passage": "search.results",
    "Plan": "indexing.catalogue",
    "Rejected": "ingest.article",
    "RelatedArticle": "search.results",
    "RelatedArticles": "search.results",
    "Report": "indexing.catalogue",
    "Reprint": "search.results",
    "Reprints": "search.results",
    "Results": "search.results",
    "SearchHit": "search.results",
    "SearchRequest": "search.pipeline",
    "Searcher": "search.searcher",
    "ShortForm": "indexing.catalogue",
    "SnapshotFile": "indexing.snapshot_file",
    "Span": "text.sentences",
    "Subscription": "ingest.subscriptions",
    "Suggestion": "query.complete",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"htxsearch.{_HOMES[name]}"), name)
