# Two commands for a fresh machine: make demo, make test. The scripts do the work; CONTRIBUTING.md lists them.
.PHONY: demo test setup check bench docs

demo: setup
	.venv/bin/htxsearch reindex
	.venv/bin/htxsearch query "hợp tác xã chè ở Thái Nguyên" --limit 3 --facet year

test: setup
	scripts/check
	scripts/test

setup:
	scripts/setup

check: setup
	scripts/check

bench: setup
	scripts/bench

docs: setup
	.venv/bin/python scripts/generate_docs.py
