"""Compare htxsearch with plain Whoosh, SQLite FTS5, tantivy and bm25s.

All get the same tokens and queries, on the same machine in the same run.
    collection   articles, their passages as token numbers, and queries drawn from them
    exhaustive   BM25 written out in numpy, which the answers are compared with
    rivals       the engines, each built, opened and asked in its own way
    worker       one engine in a process of its own
    measure      the run: builds, cold starts, interleaved rounds, throughput
    product      the product as a user has it: Index.search, one command, reindexing
    plot         the picture

`htxsearch bench --json` prints one value; times are in milliseconds unless a name ends in _s, sizes in bytes:

    collection   {source, synthetic, articles, passages, syllables, queries}
    machine      {cores, system, python, load}
    sizes        [{passages, queries, hung, mismatches: [{query, why}], engines: {NAME: ENGINE | {left_out: why}}}]
    full         null | {index, articles, passages, queries, search: LATENCY, stage_one: LATENCY, reranking_adds,
                 one_shot_s, imports_s, one_shot_ratio}
    reindex      null | {articles, characters, update_s, segmenter_s, ratio, added, add_s}

    ENGINE       {version, build_s, bytes, build_peak, search_peak,
                 cold: LATENCY, first: LATENCY, warm: LATENCY, throughput: {"1": queries a second, "2": …},
                 overlap, times_whoosh, times_tantivy}
    LATENCY      {p50, p95, p99, mean}

`cold` is opening the index and one query in a fresh process, imports and all, with the files in the system's cache;
`first` is every query when an open index is asked it for the first time; `warm` when it was asked all of them before.
`hung` are queries that an engine did not answer in time; no engine is timed on them. `overlap` is the share of the
exhaustive top ten that the engine's holds. `times_whoosh` is plain Whoosh's warm mean over this engine's: how many
times faster it is. `mismatches` are of htxsearch's engine; if there is one, the command fails.
"""
