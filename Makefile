# Everything a person types. `make setup` happens by itself; a bare machine needs Python 3.11 and make.
# Another interpreter: make setup PYTHON=/path/to/python3.12 (an existing .venv must be removed first).

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3; do \
	if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then command -v $$python; break; fi; done)
BIN := .venv/bin
PY := $(BIN)/python
READY := .venv/.ready
DOCS_READY := .venv/.docs-ready
JOBS ?= 2
CODE := hub connectors sandbox tests benchmarks
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock" \
	--constraint requirements/constraints.in

.PHONY: help setup demo check format test t e2e coverage bench bench-check measure facts reference docs lock clean

help:  ## list the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z0-9-]+):[^#]*## /\1\t/' | \
		while IFS=$$'\t' read -r name text; do printf '  %-12s %s\n' "$$name" "$$text"; done

setup: $(READY)  ## make .venv from the hashed lock file (done once, again when the lock changes)

$(READY): requirements/dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed: put it on PATH or say make PYTHON=/path/to/python" >&2; exit 1; }
	@test -x $(PY) || "$(PYTHON)" -m venv .venv
	@echo "installing the locked dependencies into .venv (a minute or two, once)"
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)  ## the whole thing, live: hub, simulated channels, a demo merchant (Ctrl-C ends it)
	@$(BIN)/hub demo $(ARGS)

check: $(READY)  ## format, lint, types, import contracts, house tests: before every commit
	$(BIN)/ruff format --check $(wildcard $(CODE))
	$(BIN)/ruff check $(wildcard $(CODE))
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(PY) -m pytest tests/house

format: $(READY)  ## let ruff put the code in order
	$(BIN)/ruff format $(wildcard $(CODE))
	$(BIN)/ruff check --fix $(wildcard $(CODE))

test: check  ## check, then every test, on SQLite and PostgreSQL; whole processes last
	$(PY) -m pytest -m "not e2e" --ignore=tests/house -n $(JOBS) --dist worksteal --durations=10
	$(PY) -m pytest -m e2e

t: $(READY)  ## tests by word: make t K=cancelled
	$(PY) -m pytest -k "$(K)" $(ARGS)

e2e: $(READY)  ## tests that start real processes
	$(PY) -m pytest -m e2e $(ARGS)

coverage: $(READY)  ## the tests with line and branch coverage
	$(PY) -m pytest -m "not e2e" -n $(JOBS) --dist worksteal --cov --cov-report=term

bench: $(READY)  ## throughput and latency beside the hand-written ideal
	$(PY) -m benchmarks $(ARGS)

bench-check: $(READY)  ## two runs compared: fails when a ratio fell by more than 10 %
	$(PY) -m benchmarks --check $(ARGS)

measure: $(READY)  ## size and shape of our tree, beside our aims
	@$(PY) -m tests.house.measure

facts: $(READY)  ## what we could not verify about the platforms
	@$(PY) -m tests.house.measure --facts

reference: $(READY)  ## write the generated part of docs/reference anew
	$(PY) -m tests.house.reference

docs: $(DOCS_READY)  ## build the documentation into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo "site/index.html"

$(DOCS_READY): requirements/docs.txt $(READY)
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/docs.txt
	@touch $@

lock: $(READY)  ## resolve the dependencies anew into hashed lock files
	$(COMPILE) --upgrade pyproject.toml --output-file requirements/run.txt
	$(COMPILE) --upgrade pyproject.toml --extra dev --constraint requirements/run.txt --output-file requirements/dev.txt
	$(COMPILE) --upgrade pyproject.toml --extra docs --constraint requirements/dev.txt --output-file requirements/docs.txt

clean:  ## remove what was built; data under .hub/ stays
	rm -rf .venv build dist site .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
