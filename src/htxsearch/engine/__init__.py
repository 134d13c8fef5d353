"""Postings and scores: the contract of an engine, and its implementations.

`contract` defines an engine. `whoosh` is the embedded engine, `memory` the test oracle.
"""
