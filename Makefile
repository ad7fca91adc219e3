SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PORT ?= 4566
DEMO ?= 1
PARAMS ?=
ENV ?= default
SEEDS ?= 20000
LANGUAGES ?=
PYTHON_SOURCES := functions packages infra tests bench

export PATH := $(abspath $(BIN)):$(PATH)
export SAM_CLI_TELEMETRY := 0

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(STAMP) ## Make .venv with Python 3.13 and all pinned packages

$(STAMP): requirements-dev.txt
	@python=$$(infra/find-python); \
	echo "Installing into $(VENV) with $$python (about a minute, once)"; \
	"$$python" -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-dev.txt
	@touch $@

.PHONY: run
run: $(STAMP) ## Run the whole system here, with a demonstration (PARAMS="MaxAttempts=3 …" PORT=4570 DEMO=0)
	@exec python -m infra.local --port "$(PORT)" $(if $(filter 0,$(DEMO)),--no-demo,--demo) $(PARAMS)

.PHONY: demo
demo: $(STAMP) ## Play the demonstration against a system that is already running (PORT=4570)
	@exec python -m infra.local.demo --port "$(PORT)"

# More processes than a small machine has cores: many tests wait for what time does. Every process
# that the tests start would else compile what it imports, where the environment forbids keeping it.
.PHONY: test
test: export PYTHONDONTWRITEBYTECODE :=
test: $(STAMP) ## Run all tests
	@exec python -m pytest -n 4 --dist loadfile --no-loadscope-reorder

.PHONY: second-opinion
second-opinion: $(STAMP) ## Run the contracts against another implementation of AWS (moto), and 10,000 event patterns; minutes
	python -m pytest tests/integration/contracts --second-opinion -n auto --maxprocesses 4 --dist loadfile
	PATTERN_PAIRS=10000 python -m pytest tests/integration/test_event_patterns.py

.PHONY: clients
clients: $(STAMP) ## Generate, compile and run every client of docs/clients.md (LANGUAGES="go rust")
	python -m tests.clients $(LANGUAGES)

.PHONY: soak
soak: $(STAMP) ## Break things for long: simulated seeds, then kills and restarts (SEEDS=20000 SOAK_SECONDS=300)
	python -m tests.simulation --from 1000 --seeds $(SEEDS)
	python -m tests.soak

.PHONY: check
check: $(STAMP) ## Run the formatter's check, linters, types, layers, template checks and lock drift
	ruff format --check $(PYTHON_SOURCES)
	ruff check $(PYTHON_SOURCES)
	mypy
	PYTHONPATH=functions lint-imports
	cfn-lint
	sam validate --lint
	python -m infra.coverage --check
	python -m infra.fields --check
	python -m infra.cost --check
	python -m infra.lock --check

.PHONY: audit
audit: $(STAMP) ## Look for known vulnerabilities and for secrets; says what it skips without a network
	python -m infra.audit

.PHONY: lock
lock: $(STAMP) ## Compile both requirement files from pyproject.toml
	python -m infra.lock

.PHONY: build
build: $(STAMP) ## Build what AWS will run into .aws-sam/build
	python -m infra.build

.PHONY: reproducible
reproducible: $(STAMP) ## Build twice in each way, in two folders, and compare every byte; minutes
	python -m infra.reproducible
	python -m infra.reproducible --plain

.PHONY: deploy
deploy: build ## Deploy to AWS (ENV=default|staging|prod PARAMS="AlarmEmail=…")
	python -m infra.deploy --config-env $(ENV) $(PARAMS)

.PHONY: bench
bench: $(STAMP) ## Measure against the floors, side by side
	python -m bench

.PHONY: screenshots
screenshots: $(STAMP) ## Take the pictures in docs/images again, of the console as it is
	SCREENSHOTS_TO=docs/images python -m pytest tests/browser/test_pictures.py

.PHONY: clean
clean: ## Forget the local system's data and everything built
	@if [ -d .perkwire ]; then python3 -m infra.local.runs; fi
	rm -rf .perkwire .aws-sam .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
