# What one does here, one word each: `make help`. Needs Python 3.11 or newer, git and make; the rest goes into .venv.
# Works with GNU make 3.81, the one that macOS ships.

SHELL := /bin/sh
.DEFAULT_GOAL := help
BIN := .venv/bin

# Containers often switch bytecode off; every start would then take three times as long.
unexport PYTHONDONTWRITEBYTECODE PYTHONPATH PYTHONHOME

# How many test files run at once; a machine with more cores and memory takes more: make test WORKERS=4
WORKERS ?= 2
# A file's tests stay together: they share what takes long to make. The longest stories start first (tests/conftest.py).
PYTEST := $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

.PHONY: help demo install test quick check fix docs lock wheel clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' Makefile

demo: ## Install, then run the demo: an Azure ML v2 pipeline, end to end, on this machine
	@tools/install run
	@$(BIN)/penstock demo

install: ## Install the project and its tools into .venv, from the lock
	@tools/install dev

test: install ## Install, then run every test
	@$(PYTEST)

quick: install ## The tests that need no network, no MLflow and no patience
	@$(PYTEST) -m "not slow"

check: install ## Lint, format, types, spelling, and whether the generated pages are current
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/python tools/generated-pages --check

fix: install ## Format, mend what ruff can mend, write the generated pages anew
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python tools/generated-pages

docs: install ## Write the generated pages anew
	$(BIN)/python tools/generated-pages

lock: ## Resolve the dependencies anew and write the locks
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--group dev pyproject.toml -o requirements/dev.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--group build -c requirements/dev.lock pyproject.toml -o requirements/run.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		requirements/azure-ai-ml.in -o requirements/azure-ai-ml.lock

wheel: install ## Build the wheel into dist/
	@$(BIN)/python -m build --wheel --no-isolation --outdir dist .

clean: ## Remove .venv, build products and caches (not your state in ~/.penstock)
	rm -rf .venv dist build .pytest_cache .mypy_cache .ruff_cache .hypothesis .schemathesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
