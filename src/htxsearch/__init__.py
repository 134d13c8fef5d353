"""htxsearch: offline search and answers over a folder of Vietnamese articles.

`Index` is the way in; `htxsearch.errors` says what can go wrong. Names are loaded when first used,
so `import htxsearch` costs nothing.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from htxsearch.errors import HtxError
    from htxsearch.index import Index
    from htxsearch.indexing.catalogue import Report
    from htxsearch.ingest.article import Article, Rejected
    from htxsearch.search.results import ArticleView, Info, Passage, RelatedArticle, RelatedArticles, Results, SearchHit

__all__ = [
    "Article",
    "ArticleView",
    "HtxError",
    "Index",
    "Info",
    "Passage",
    "Rejected",
    "RelatedArticle",
    "RelatedArticles",
    "Report",
    "Results",
    "SearchHit",
]

_HOMES = {
    "Article": "ingest.article",
    "ArticleView": "search.results",
    "HtxError": "errors",
    "Index": "index",
    "Info": "search.results",
    "Passage": "search.results",
    "Rejected": "ingest.article",
    "RelatedArticle": "search.results",
    "RelatedArticles": "search.results",
    "Report": "indexing.catalogue",
    "Results": "search.results",
    "SearchHit": "search.results",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"htxsearch.{_HOMES[name]}"), name)
