# Everything these targets make lies in .build; `make clean` removes it.
SHELL := /bin/sh
BIN := .build/venv/bin
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help setup check test demo bench clean lock \
	test-unit test-databases test-asterisk test-faults

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install what the other targets need (they call it themselves)
	@tests/lab/setup.sh

check: setup ## Formatting, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --cache-dir .build/lint-imports

test: check test-unit test-databases test-asterisk test-faults ## All checks and all tests

test-unit: setup ## Unit, property, golden and repository tests, with branch coverage of the core
	$(BIN)/coverage run -m pytest tests/unit tests/property tests/golden tests/repo
	$(BIN)/coverage report --fail-under=90

test-databases: setup ## The store and the writer on SQLite and PostgreSQL
	$(PYTEST) tests/databases

test-asterisk: setup ## A real Asterisk with scripted SIP phones
	$(PYTEST) tests/asterisk

test-faults: setup ## The service killed, stopped, hung
	$(PYTEST) tests/faults

demo: setup ## A short working day on a real Asterisk
	@$(BIN)/python -m tests.demo

bench: setup ## Benchmarks: tables with ratios from one run
	$(BIN)/python -m tests.bench

lock: setup ## Pin what pyproject.toml asks for (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header -o requirements.lock

clean: ## Remove everything that was installed, fetched or made
	rm -rf .build
