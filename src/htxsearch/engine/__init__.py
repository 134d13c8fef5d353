"""Where postings live. `contract` says what an engine is; `whoosh` is the embedded one, `memory` the test oracle."""
