# Two commands for a fresh machine: make demo, make test. The scripts do the work; CONTRIBUTING.md lists them.
.PHONY: demo test setup check bench docs eval train

DATA ?= ../shared/data
SETS = htxqa-dev htx-law mlqa-vi xquad-vi viquad-dev

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

QA_SETS = htxqa-dev xquad-vi viquad-dev
LEFT_OUT = --folds evals/folds --floors evals/floors.json

eval: setup
	.venv/bin/htxsearch eval evals/questions --corpus corpus --as typed --as unaccented $(LEFT_OUT) --figures evals/figures/questions-ranking.json
	.venv/bin/htxsearch eval evals/questions --corpus corpus --task qa --as typed --as hurried --as short $(LEFT_OUT) --figures evals/figures/questions-answers.json
	.venv/bin/htxsearch eval $(SETS:%=$(DATA)/eval/%) --as typed --as unaccented $(LEFT_OUT) --figures evals/figures/ranking.json
	.venv/bin/htxsearch eval $(DATA)/html --task extraction --floors evals/floors.json --figures evals/figures/extraction.json
	.venv/bin/htxsearch eval $(QA_SETS:%=$(DATA)/eval/%) --task qa $(LEFT_OUT) --figures evals/figures/answers.json

train: setup
	.venv/bin/python scripts/train.py $(SETS:%=$(DATA)/eval/%) --semantic --write
	.venv/bin/python scripts/train_answers.py $(patsubst %,$(DATA)/eval/%,viquad-dev xquad-vi mlqa-vi htxqa-dev) evals/questions --write

docs: setup
	.venv/bin/python scripts/generate_docs.py
