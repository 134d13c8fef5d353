"""The embedded engine: Whoosh keeps postings and records durably; numpy scores them exactly.

Whoosh is asked for what it does well (an on-disk term dictionary, postings, stored fields, columns,
an atomic commit) and not for ranking: its matchers lose hits and can loop for ever, and reading
its postings takes longer than scoring them (docs/decisions/022). Beside each of its segments lies a
sidecar with the same postings as arrays, by which every query is scored, exactly as `seam` says.

    toc         what the last commit consists of, read without Whoosh
    storage     the schema, durable files, and Whoosh's errors as ours
    sidecar     the file beside a segment: arrays with checksums
    harvest     making it from the segment
    segment     reading one segment: its sidecar, or Whoosh
    collection  all segments as one
    scoring     evaluating nodes
    writer      a batch of changes, merging
    engine      searching and looking up

Whoosh's own schema holds only Whoosh's classes, given ready-made term lists. A stranger's index is
a pickle and can run code when opened: only open what you built.
"""

from htxsearch.engine.whoosh.engine import WhooshEngine
from htxsearch.engine.whoosh.storage import DISTRIBUTION

__all__ = ["DISTRIBUTION", "WhooshEngine"]
