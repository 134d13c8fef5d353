"""The embedded engine: Whoosh keeps postings and records durably; numpy scores them exactly.

Whoosh is asked for what it does well (an on-disk term dictionary, postings, stored fields, columns,
an atomic commit) and not for ranking: its matchers lose hits and can loop for ever (see
docs/decisions.md). Every posting list a query needs is decoded whole and scored as `seam` says.

    storage   the schema, durable files, and Whoosh's errors as ours
    segment   what one Whoosh segment holds, as arrays
    writer    a batch of changes, merging
    engine    searching

Whoosh's own schema holds only Whoosh's classes, given ready-made term lists. A stranger's index is
a pickle and can run code when opened: only open what you built.
"""

from htxsearch.engine.whoosh.engine import WhooshEngine
from htxsearch.engine.whoosh.storage import DISTRIBUTION

__all__ = ["DISTRIBUTION", "WhooshEngine"]
