# Every command a person needs. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3.11
BIN := .venv/bin
LOCKS := requirements/uv.txt requirements/dev.txt

.PHONY: help demo up doctor test test-fast lint types bundle bench cost lock rollback clean

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Compiled at once: where Python may not write its bytecode, every process of every start would compile for itself.
.venv/.installed: $(LOCKS)
	@command -v $(PYTHON) >/dev/null || { echo "Heliograph needs Python 3.11: install it, or name it with PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Installing what is locked into .venv (the first time takes a minute) …"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@$(BIN)/uv pip sync --compile-bytecode --require-hashes requirements/dev.txt
	@touch $@

demo: .venv/.installed ## start everything, send one notification over every channel, show each hop, stop
	@exec $(BIN)/python -m local.demo

up: .venv/.installed ## start everything and stay, with addresses and a curl line
	@exec $(BIN)/python -m local.up

doctor: .venv/.installed ## examine what runs (or DEPLOYMENT=file), and say what mends each fault
	@$(BIN)/python -m doctor $(DEPLOYMENT)

test: .venv/.installed ## run all tests
	@$(BIN)/python -m pytest

test-fast: .venv/.installed ## run the tests that need no emulator, database or browser
	@$(BIN)/python -m pytest tests/unit tests/providers tests/test_architecture.py tests/test_topology.py

lint: .venv/.installed ## ruff, formatting and the import rules
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports

types: .venv/.installed ## mypy --strict
	@$(BIN)/mypy

bundle: .venv/.installed ## build one deterministic zip a function into dist/
	@$(BIN)/python -m local.bundle

bench: .venv/.installed ## run every benchmark (a few minutes)
	@for name in accept latency drain cold_start; do $(BIN)/python -m bench.$$name || exit 1; done

# gRPC would remark that the stack's parts are started beside its threads.
cost: .venv/.installed ## count what a delivery does on the local stack, and print what a month of them costs
	@GRPC_VERBOSITY=error $(BIN)/python -m cost

lock: .venv/.installed ## resolve the requirements anew (every *.in to its *.txt)
	@UV=$(BIN)/uv; compile="$$UV pip compile --quiet --upgrade --python-version 3.11 --generate-hashes --no-emit-index-url --no-header"; \
	$$compile requirements/dev.in -o requirements/dev.txt && \
	for name in requirements/uv requirements/publisher $$(ls -d functions/*/ | grep -vE 'runtime|google|__pycache__' | sed 's|$$|requirements|'); do \
	  $$compile -c requirements/dev.txt $$name.in -o $$name.txt || exit 1; done

rollback: ## run the former release again: make rollback ENVIRONMENT=production [COMMIT=…]
	@deploy/rollback.sh "$(ENVIRONMENT)" $(COMMIT)

clean: ## remove what the commands made (.venv, .local, dist)
	rm -rf .venv .local dist
