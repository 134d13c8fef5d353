"""The embedded engine: Whoosh stores postings and records; numpy scores exactly.

Whoosh is asked for an on-disk term dictionary, stored fields, columns and a durable, atomic commit, and not for
ranking: its matchers lose hits and can loop for ever, and reading its postings takes longer than scoring them.
`codec` describes the use of Whoosh and the interfaces it is called by. Beside each of its segments lies a file of
columns with the same postings as arrays. Every query is scored by these arrays, exactly as `engine.contract`
defines.

    storage     the files of a commit, read without Whoosh; its errors as ours
    columns     the file beside a segment: arrays with checksums, built from the segment
    postings    postings in Whoosh's format: gathered, written, read
    codec       the calls of Whoosh: schema, storage, codec, merging
    segment     reading one segment: its columns, tokens and records
    reader      all segments as one
    scoring     evaluating nodes
    writer      a batch of changes, merging
    engine      searching and looking up
    checking    the files of a commit, and whether they are sound

Whoosh's own schema holds only Whoosh's classes, given ready-made term lists. An untrusted index can run code where
Whoosh reads it, which is when an index is written to: only write to an index that you built.
"""

from htxsearch.engine.whoosh.checking import check_files, commit_files
from htxsearch.engine.whoosh.engine import WhooshEngine
from htxsearch.engine.whoosh.storage import DISTRIBUTION

__all__ = ["DISTRIBUTION", "WhooshEngine", "check_files", "commit_files"]
