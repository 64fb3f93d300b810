# Everything these targets make lies in .build, and in web/ what git ignores; `make clean` removes it.
SHELL := /bin/sh
BIN := .build/venv/bin
PYTEST := $(BIN)/python -m pytest
COMPILE := uv pip compile -q --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header

.DEFAULT_GOAL := help
.PHONY: help setup check test demo wheel bench clean lock \
	test-unit test-databases test-panel test-api test-asterisk test-browser test-faults test-demo phones-routing phones-callbacks kills faults \
	translations pictures

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Install what the other targets need (they call it themselves)
	@tests/lab/setup.sh

check: setup ## Formatting, lint, types, import contracts, the image's files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --cache-dir .build/lint-imports
	$(BIN)/hadolint docker/Dockerfile
	$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker/compose.yaml

# Two at once where nothing is about time. Phones mostly wait, and so does who waits for a killed part
# to come back, so that a browser has a core beside them; what is timed when it hangs is alone.
test: check ## All checks and all tests
	@$(MAKE) --no-print-directory -j2 -Otarget test-panel test-api test-unit test-databases
	@TEST_KILLS=20 $(MAKE) --no-print-directory -j3 -Otarget \
		phones-routing phones-callbacks test-browser kills test-demo
	@$(MAKE) --no-print-directory faults

test-unit: setup ## Unit, property, golden and repository tests, with branch coverage of the core
	$(BIN)/coverage run -m pytest tests/unit tests/property tests/golden tests/repo
	$(BIN)/coverage report --fail-under=90

test-databases: setup ## The store and the writer on SQLite and PostgreSQL
	$(PYTEST) tests/databases

test-panel: setup ## The panel by Flask's test client
	$(PYTEST) tests/panel

test-api: setup ## The API by Flask's test client, also against its own document
	$(PYTEST) tests/api

CALLBACKS := tests/asterisk/test_orders.py tests/asterisk/test_callbacks.py
KILLS := tests/faults/test_callbacks.py

phones-routing: setup
	$(PYTEST) tests/asterisk $(addprefix --ignore=,$(CALLBACKS))

phones-callbacks: setup
	$(PYTEST) $(CALLBACKS)

kills: setup
	$(PYTEST) $(KILLS)

faults: setup
	$(PYTEST) tests/faults --ignore=$(KILLS)

test-asterisk: setup ## A real Asterisk with scripted SIP phones
	$(PYTEST) tests/asterisk

pictures: setup ## The pictures of the guides, taken in a real Chromium
	@$(BIN)/python -m tests.browser.guide

test-browser: setup ## The panel in a real Chromium
	$(PYTEST) tests/browser

test-faults: setup ## The service killed, stopped, hung; 200 kills in the midst of callbacks (45 min)
	$(PYTEST) tests/faults

test-demo: setup ## The demo, which fails when it does not show what it says
	@DEMO_EXIT=1 $(BIN)/python -m tests.demo

demo: setup ## A short working day on a real Asterisk
	@$(BIN)/python -m tests.demo

wheel: setup ## The package for an installation, with the panel's style sheets and catalogues
	@rm -rf .build/dist
	@$(BIN)/python -m hatchling build -t wheel -d .build/dist

bench: setup ## Benchmarks: tables with ratios from one run
	$(BIN)/python -m tests.bench

lock: setup ## Pin what pyproject.toml asks for (needs uv)
	$(COMPILE) pyproject.toml --extra dev -o requirements.lock
	$(COMPILE) pyproject.toml -c requirements.lock -o docker/run.lock
	$(COMPILE) docker/build.in -c requirements.lock -o docker/build.lock

translations: setup ## Bring web/translations up to date with the messages of web/
	$(BIN)/python -m web.catalogues update

clean: ## Remove everything that was installed, fetched or made
	rm -rf .build web/static/vendor
	find web/translations -name '*.mo' -delete
