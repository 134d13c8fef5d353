"""Postings and scores. `contract` defines an engine; `whoosh` is the embedded one, `memory` the test oracle."""
