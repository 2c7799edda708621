# The project's commands. `make` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3.11
BIN := .venv/bin
LOCKS := requirements/uv.txt requirements/dev.txt

.PHONY: help demo up doctor test test-fast lint types bundle bench cost lock rollback clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Compiles the bytecode here: where Python may not write it later, every process would compile again at every start.
.venv/.installed: $(LOCKS)
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is not installed as $(PYTHON). Install it, or run make with PYTHON=/path/to/python3.11."; exit 1; }
	@echo "Installing the locked requirements into .venv (the first time takes a minute) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip sync --quiet --compile-bytecode --require-hashes requirements/dev.txt
	@touch $@

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
	@for name in accept latency drain cold_start growth; do $(BIN)/python -m bench.$$name || exit 1; done

# Without this, gRPC warns that the stack starts processes while gRPC's threads run.
cost: .venv/.installed ## count the operations of a delivery on the local stack, and print the cost of a month
	@GRPC_VERBOSITY=error $(BIN)/python -m cost

lock: .venv/.installed ## update every requirements lock (*.in to *.txt)
	@UV=$(BIN)/uv; compile="$$UV pip compile --quiet --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url --no-header"; \
	$$compile requirements/dev.in -o requirements/dev.txt && \
	for name in requirements/uv requirements/publisher $$(ls -d functions/*/ | grep -vE 'runtime|google|__pycache__' | sed 's|$$|requirements|'); do \
	  $$compile -c requirements/dev.txt $$name.in -o $$name.txt || exit 1; done

rollback: ## deploy the previous release again: make rollback ENVIRONMENT=production [COMMIT=…]
	@deploy/rollback.sh "$(ENVIRONMENT)" $(COMMIT)

clean: ## delete what these commands created (.venv, .local, dist)
	rm -rf .venv .local dist
