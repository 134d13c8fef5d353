# Two commands for a fresh machine: make demo, make test. The scripts do the work; CONTRIBUTING.md lists them.
.PHONY: demo test test-with setup check lock sbom bench perf docs eval faults train train-reader cluster cluster-stop test-cluster

DATA ?= ../shared/data
SETS = htxqa-dev htx-law mlqa-vi xquad-vi viquad-dev

demo: setup
	.venv/bin/htxsearch reindex
	.venv/bin/htxsearch query "hợp tác xã chè ở Thái Nguyên" --limit 3 --facet year
	.venv/bin/htxsearch ask "Giám đốc HTX chè Tân Cương Xanh là ai?"

test: setup
	scripts/check
	scripts/test

# Another Python, or the lowest versions that pyproject.toml allows: make test-with PYTHON=python3.13 ARGS=--lowest
test-with:
	scripts/test-with "$(PYTHON)" $(ARGS)

setup:
	scripts/setup

# The pinned versions; make lock ARGS=--upgrade for the newest.
lock: setup
	scripts/lock $(ARGS)

sbom: setup
	scripts/sbom

check: setup
	scripts/check

bench: setup
	scripts/bench

# Instructions, counted by valgrind, against those pinned: what noise cannot fool.
perf: setup
	.venv/bin/python benches/instructions.py

# A real OpenSearch cluster on loopback, for tests and trials: Java 17 and Maven. NODES=1 starts one node.
NODES ?= 3
cluster:
	NODES=$(NODES) scripts/cluster/cluster start

cluster-stop:
	scripts/cluster/cluster stop

test-cluster: setup
	scripts/test-cluster

# Trials of each class; hours for a thousand on a busy machine. docs/reliability.md says what they are.
FAULTS ?= 1000
SEED ?= 1
faults: setup
	scripts/faults --trials $(FAULTS) --seed $(SEED) --figures evals/figures/faults.json

QA_SETS = contrast-dev htxqa-dev xquad-vi viquad-dev
OWN_SETS = evals/contrast evals/encyclopedia evals/questions
QA = --corpus corpus --task qa --left-out --floors evals/floors.json
LEFT_OUT = --folds evals/folds --floors evals/floors.json

eval: setup
	.venv/bin/htxsearch eval evals/questions --corpus corpus --as typed --as unaccented $(LEFT_OUT) --figures evals/figures/questions-ranking.json
	.venv/bin/htxsearch eval $(OWN_SETS) $(QA) --as typed --as hurried --as short --figures evals/figures/own-answers.json
	.venv/bin/htxsearch eval $(SETS:%=$(DATA)/eval/%) --as typed --as unaccented $(LEFT_OUT) --figures evals/figures/ranking.json
	.venv/bin/htxsearch eval $(DATA)/eval/topics-dev --task near --as typed --as unaccented $(LEFT_OUT) --figures evals/figures/near.json
	.venv/bin/htxsearch eval $(DATA)/eval/related-events.jsonl --task related $(LEFT_OUT) --figures evals/figures/related.json
	.venv/bin/htxsearch eval $(DATA)/html $(DATA)/pdf --task extraction --floors evals/floors.json --figures evals/figures/extraction.json
	.venv/bin/htxsearch eval $(QA_SETS:%=$(DATA)/eval/%) $(QA) --as typed --as unaccented --figures evals/figures/answers.json

train: setup
	.venv/bin/python scripts/train.py $(SETS:%=$(DATA)/eval/%) --semantic --write
	.venv/bin/python scripts/train_near.py $(DATA)/eval/topics-dev --write
	.venv/bin/python scripts/train_related.py $(DATA) --write
	.venv/bin/python scripts/train_kinds.py $(OWN_SETS) $(PRACTICE_SETS) --write
	.venv/bin/python scripts/train_answers.py $(TRAINING_SETS) --write
	.venv/bin/python scripts/train_facts.py evals/facts-training evals/facts $(DATA)/eval/facts-dev --corpus corpus --write
	.venv/bin/python scripts/train_fact_matching.py evals/facts evals/facts-training --corpus corpus --write

# Hours on a CPU; stopped, it goes on from build/reader.pt. Then make train: the confidence belongs to the reader.
MINUTES ?= 120
PRACTICE_SETS = evals/contrast-training evals/encyclopedia-training
TRAINING_SETS = $(OWN_SETS) $(PRACTICE_SETS) $(DATA)/eval/mlqa-vi build/htxqa-train
train-reader: setup
	.venv/bin/pip install --quiet --constraint scripts/constraints.txt '.[train]'
	.venv/bin/python scripts/judged_training_set.py $(DATA) build/htxqa-train
	.venv/bin/python scripts/train_reader.py $(TRAINING_SETS) --minutes $(MINUTES)

docs: setup
	.venv/bin/python scripts/generate_docs.py
