# The project's commands. `make` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHONS := python3.14 python3.13 python3.12 python3.11
# The newest that runs here. Each is run, because a version manager puts commands on the PATH for Pythons it does not use.
PYTHON ?= $(shell for python in $(PYTHONS); do $$python -c '' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
LOCKS := requirements/uv.txt requirements/dev.txt
FUNCTIONS := $(patsubst %/main.py,%,$(wildcard functions/*/main.py))

.PHONY: help chosen-python demo up doctor test test-fast lint types bundle bench cost lock wheels rollback clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Compiles the bytecode here: where Python may not write it later, every process would compile again at every start.
.venv/.installed: $(LOCKS) | chosen-python
	@test -x $(BIN)/python || { test -n "$(PYTHON)" && $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))'; } || \
	  { echo "No Python 3.11 or newer runs here as $(or $(PYTHON),any of: $(PYTHONS)). Install one, or run make with PYTHON=/path/to/python."; exit 1; }
	@echo "Installing the locked requirements into .venv (the first time takes a minute) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes requirements/dev.txt
	@touch $@

# An existing .venv keeps its Python. Without this check, PYTHON=… would do nothing then, without a word.
chosen-python:
ifneq ($(origin PYTHON),file)
	@test ! -x $(BIN)/python || test "$$($(BIN)/python -V)" = "$$($(PYTHON) -V)" || \
	  { echo ".venv has $$($(BIN)/python -V), and PYTHON=$(PYTHON) is $$($(PYTHON) -V). Run make clean first."; exit 1; }
endif

demo: .venv/.installed ## start everything, send one notification over every channel, show each hop, stop everything
	@exec $(BIN)/python -m local.demo

up: .venv/.installed ## start everything, print addresses and a curl line, and run until Ctrl-C
	@exec $(BIN)/python -m local.up

doctor: .venv/.installed ## check the local stack (or DEPLOYMENT=file) and print a command that repairs each fault
	@$(BIN)/python -m doctor $(DEPLOYMENT)

test: .venv/.installed ## run all tests
	@$(BIN)/python -m pytest

test-fast: .venv/.installed ## run the tests that need no emulator, database or browser
	@$(BIN)/python -m pytest tests/unit tests/providers tests/test_architecture.py tests/test_topology.py tests/test_log_events.py

lint: .venv/.installed ## ruff, formatting and the import rules
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

types: .venv/.installed ## mypy --strict
	@$(BIN)/mypy

bundle: .venv/.installed ## build a deterministic zip for each function in dist/
	@$(BIN)/python -m deploy.bundle

bench: .venv/.installed ## run every benchmark (a few minutes)
	@for name in accept latency drain profiles fairness listeners cold_start growth; do $(BIN)/python -m bench.$$name || exit 1; done

# Without this, gRPC warns that the stack starts processes while gRPC's threads run.
cost: .venv/.installed ## count the operations of a delivery on the local stack, and print the cost of a month
	@GRPC_VERBOSITY=error $(BIN)/python -m cost

# The locks are for every Python from 3.11 on, and for every system: markers say where a package is not installed.
lock: .venv/.installed ## lock the requirements (*.in to *.txt); keeps the pins, unless UPGRADE=1 asks for the newest
	@compile="$(BIN)/uv pip compile --quiet --universal --python-version 3.11 $(if $(UPGRADE),--upgrade) --generate-hashes --no-emit-index-url --no-header"; \
	$$compile requirements/dev.in -o requirements/dev.txt && \
	for name in uv publisher self_hosted; do \
	  $$compile -c requirements/dev.txt requirements/$$name.in -o requirements/$$name.txt || exit 1; done && \
	for function in $(FUNCTIONS); do \
	  $$compile -c requirements/dev.txt functions/google/requirements.in $$function/requirements.in -o $$function/requirements.txt || exit 1; done

wheels: .venv/.installed ## check that every locked package has a wheel for each Python and system
	@$(BIN)/python -m deploy.check_wheels

rollback: ## deploy the previous release again: make rollback ENVIRONMENT=production [COMMIT=…]
	@deploy/rollback.sh "$(ENVIRONMENT)" $(COMMIT)

clean: ## delete what these commands created (.venv, .local, dist)
	rm -rf .venv .local dist
