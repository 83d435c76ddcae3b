# Every target creates .venv and installs what it needs by itself; only python3 is required.
#
#   make demo    fit the bundled census table and write synthetic rows, figures and a picture
#   make test    everything that must pass: lint, types, layers, tests, doctests
#   make lint    the static half of it
#   make docs    the documentation, as HTML in docs/_build
#   make bench   quality and speed benchmarks

.DEFAULT_GOAL := help
# All targets install into one environment.
.NOTPARALLEL:
.PHONY: help demo test lint docs bench clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL = $(BIN)/python -m pip install --disable-pip-version-check --quiet -c constraints.txt
PINS := pyproject.toml constraints.txt
TARGETS := synthgen tests benchmarks docs

help:
	@sed -n 's/^#   //p' Makefile

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# The pinned torch goes in with the first command: a free choice would be a multi-gigabyte build.
$(VENV)/stamp-%: $(PINS) | $(VENV)/bin/python
	$(INSTALL) -e '.[$*]'
	@touch $@

demo: $(VENV)/stamp-evaluate
	$(BIN)/synthgen demo $(ARGS)

lint: $(VENV)/stamp-dev
	$(BIN)/ruff check $(TARGETS)
	$(BIN)/ruff format --check $(TARGETS)
	$(BIN)/mypy
	$(BIN)/lint-imports

test: lint
	$(BIN)/python -m pytest $(ARGS)

docs: $(VENV)/stamp-evaluate $(VENV)/stamp-docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

bench: $(VENV)/stamp-dev
	$(BIN)/python -m benchmarks.quality.run $(ARGS)
	$(BIN)/python -m benchmarks.quality.report
	$(BIN)/python -m benchmarks.quality.check

clean:
	rm -rf $(VENV) docs/_build docs/reference/generated .mypy_cache .pytest_cache .ruff_cache
