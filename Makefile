# memtax: `make demo` and `make test` do all that they need on a fresh machine; `make help` lists the rest.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SIZE ?= full
PIP_ARGS ?=
# Two processes share the tests out, by file: the stores that a file builds are then built once.
SHARED_OUT := -n 2 --dist loadfile

# Whatever the built extension depends on: editing one of these rebuilds it.
NATIVE := $(wildcard native/*.txt native/*.cmake native/src/*)

.DEFAULT_GOAL := help
.PHONY: help setup demo test slow browser gallery spark sparkslow check format bench sanitize clean

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(VENV)/.ready  ## make the environment in .venv and build

demo: setup  ## build a real feature store from installed text (SIZE=small: a minute or two)
	@$(BIN)/python -m memtax.demo --size $(SIZE)

test: setup  ## run the tests but for the slow ones and those in a browser
	@$(BIN)/python -m pytest $(SHARED_OUT) -m "not slow and not browser and not spark" $(PYTEST_ARGS)

slow: setup  ## run the slow tests: whole stores, built several times
	@$(BIN)/python -m pytest $(SHARED_OUT) -m "slow and not spark" $(PYTEST_ARGS)

spark: $(VENV)/.spark  ## install PySpark (hundreds of MB) and run the tests on it (Debian: apt-get install default-jre-headless)
	@$(BIN)/python -m pytest $(SHARED_OUT) -m "spark and not slow" $(PYTEST_ARGS)

sparkslow: $(VENV)/.spark  ## run the slow tests on Spark: the small demo's store on both engines, a standalone cluster that loses a worker
	@$(BIN)/python -m pytest -m "spark and slow" $(PYTEST_ARGS)

browser: setup  ## run the tests of pages in a browser (Debian: apt-get install chromium)
	@$(BIN)/python -m pytest $(SHARED_OUT) -m browser $(PYTEST_ARGS)

gallery: setup  ## renew the pictures in docs/gallery.md from the demo's store (SIZE=small: from the small one's)
	@$(BIN)/python -m tests.browser.gallery --size $(SIZE)

check: setup  ## lint and type-check
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/sqlfluff lint models tests/data --disable-progress-bar
	@$(BIN)/clang-format --dry-run --Werror $(wildcard native/src/*)

format: setup  ## rewrite sources in the project's style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/clang-format -i $(wildcard native/src/*)

bench: setup  ## run every benchmark at its quick size
	@set -e; for file in $(filter-out benchmarks/_%,$(wildcard benchmarks/*.py)); do \
	  echo "== $$file"; $(BIN)/python $$file --quick; done

sanitize: setup  ## run the native tests under the address and undefined-behaviour sanitizers
	@$(BIN)/python tests/native/run_sanitized.py

clean:  ## remove the environment, builds and the demo's files
	rm -rf $(VENV) build target logs .demo

# One environment for everything. The stamp is written last, so that a set-up that failed half-way is done again.
$(VENV)/.ready: pyproject.toml requirements.lock $(NATIVE) scripts/preflight.sh
	@sh scripts/preflight.sh $(PYTHON)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing (the first time takes minutes; the log is $(VENV)/install.log)"
	@$(BIN)/python -m pip install $(PIP_ARGS) -c requirements.lock scikit-build-core pybind11 cmake ninja \
	  > $(VENV)/install.log 2>&1 || sh scripts/preflight.sh --failed $(VENV)/install.log $(BIN)/python
	@$(BIN)/python -m pip install $(PIP_ARGS) --no-build-isolation -c requirements.lock -e '.[dev]' \
	  >> $(VENV)/install.log 2>&1 || sh scripts/preflight.sh --failed $(VENV)/install.log $(BIN)/python
	@touch $@

# On top of the environment, and only for those who want it.
$(VENV)/.spark: $(VENV)/.ready
	@echo "installing PySpark (the log is $(VENV)/spark.log)"
	@$(BIN)/python -m pip install $(PIP_ARGS) -c requirements.lock 'dbt-spark[session]' pyspark > $(VENV)/spark.log 2>&1 \
	  || sh scripts/preflight.sh --failed $(VENV)/spark.log $(BIN)/python
	@touch $@
