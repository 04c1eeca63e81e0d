# Everything a person or a machine does with a clone of Tocsin. Needs: make and Python 3.11 or newer.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

PYTHON ?= python3
UV := $(or $(shell command -v uv 2>/dev/null),.tools/uv/bin/uv)
RUN := $(UV) run --no-sync
DATA ?= var
PORT ?= 8417
JOBS ?= auto
TESTS ?= tests

.PHONY: help run setup neighbours check format test bench clean

help: ## Say what can be done
	@sed -nE 's/^([a-z]+):.*## (.*)/make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-16s %s\n", $$1, $$2 }'

run: .venv/runs ## Set up and start Tocsin on http://127.0.0.1:8417 with its data in ./var
	@$(RUN) python tools/browser_packages.py
	@$(RUN) python tools/first_run.py --data $(DATA) --port $(PORT)

setup: $(UV) ## Install everything that development needs into .venv
	@$(UV) sync --frozen --quiet --all-extras
	@$(RUN) python tools/browser_packages.py --development

neighbours: $(UV) ## Install PostgreSQL, Chromium and Dovecot for the tests (Debian packages when root)
	@UV=$(UV) tools/neighbours

check: setup ## Formatting, lint, types, floors and the rules of the house
	$(RUN) ruff format --check
	$(RUN) ruff check
	$(RUN) mypy
	$(RUN) lint-imports --no-logo
	$(RUN) pytest -q tests/test_house.py

format: setup ## Format the code and mend what can be mended by itself
	$(RUN) ruff format
	$(RUN) ruff check --fix

test: check neighbours ## check, then every test, on SQLite and PostgreSQL, with a browser
	$(RUN) pytest -n $(JOBS) --dist load --maxschedchunk 1 $(TESTS)

bench: setup ## Measure: durable posts per second, entities, pages over a million alertgroups, flows
	$(RUN) python benchmarks/intake.py
	$(RUN) --with ioc-finder==9.4.1 python benchmarks/entities.py
	$(RUN) python benchmarks/pages.py
	$(RUN) python benchmarks/flows.py --flows 1000000

clean: ## Remove what was built and fetched; ./var, the data, stays
	rm -rf .venv .tools dist node_modules src/tocsin/web/static/vendor
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './.git/*' -exec rm -rf {} +

# What is needed to run, and no more; leaves what development installed.
.venv/runs: $(UV) pyproject.toml uv.lock
	@echo "Setting up (once; a minute or two) …"
	@$(UV) sync --frozen --quiet --all-extras --no-default-groups --inexact
	@touch $@

.tools/uv/bin/uv:
	@echo "Installing uv into .tools …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Tocsin needs Python 3.11 or newer: make PYTHON=python3.12 …"; exit 1; }
	@$(PYTHON) -m venv .tools/uv 2>/dev/null && .tools/uv/bin/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9' \
	  || { rm -rf .tools/uv; $(PYTHON) -m pip install --quiet --disable-pip-version-check --target .tools/uv 'uv>=0.9'; } \
	  || { rm -rf .tools/uv; echo "Could not install uv: install pip (Debian: apt-get install python3-venv) or uv itself."; exit 1; }
