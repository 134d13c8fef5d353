"""The embedded engine: Whoosh keeps postings and records durably; numpy scores them exactly.

Whoosh is asked for an on-disk term dictionary, stored fields, columns and an atomic commit, and not for ranking: its
matchers lose hits and can loop for ever, and reading its postings takes longer than scoring them. `codec` says what
it does here and by which doors. Beside each of its segments lies a file of columns with the same postings as arrays,
by which every query is scored, exactly as `engine.contract` has it.

    storage     the files of a commit, read without Whoosh; its errors as ours
    columns     the file beside a segment: arrays with checksums, built from the segment
    postings    postings in Whoosh's format: gathered, written, read
    codec       the calls of Whoosh: schema, storage, codec, merging
    segment     reading one segment: its columns, tokens and records
    reader      all segments as one
    scoring     evaluating nodes
    writer      a batch of changes, merging
    engine      searching and looking up

Whoosh's own schema holds only Whoosh's classes, given ready-made term lists. An untrusted index can run code where
Whoosh reads it, which is when an index is written to: only write to an index that you built.
"""

from htxsearch.engine.whoosh.engine import WhooshEngine
from htxsearch.engine.whoosh.storage import DISTRIBUTION

__all__ = ["DISTRIBUTION", "WhooshEngine"]
