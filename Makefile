# Everything from nothing: `make run` and `make test` set up .venv first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SCENARIO ?= new_language
WORKERS ?= 2

.PHONY: run test check docs pictures demos clean setup

setup: $(VENV)/.ready

# torch first and alone: its pinned version decides whether CUDA packages come along.
$(VENV)/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt torch
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

run: setup
	$(BIN)/adapeff-sim run $(SCENARIO)

check: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: setup check
	$(BIN)/pytest -n $(WORKERS) tests/unit tests/contract tests/architecture
	$(BIN)/pytest -n $(WORKERS) --dist loadfile tests/corpus tests/training tests/end_to_end

# The site of the documentation, in site/; stops at the first broken link. Tests build it as well.
docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

# Screens and pictures of the documentation, from the run that travels with the package.
pictures: setup
	$(BIN)/python docs/making/pictures.py

# The finished runs that travel with the package, measured anew: three quarters of an hour on two idle cores.
demos: setup
	$(BIN)/python benchmarks/make_demos.py

clean:
	rm -rf build dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis
