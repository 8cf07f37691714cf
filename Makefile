# Every task of the project; `make` alone lists them.
PYTHON_IN := .venv/bin/python
JOBS ?= 3
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
COMPILE := .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-find-links --no-emit-index-url pyproject.toml

.PHONY: help setup servers demo unit test check bench load fmt lock reference docs docs-serve clean

help: ## List the tasks
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 12

setup: ## Make .venv with the pinned packages (instant when nothing changed)
	@scripts/setup.sh

servers: ## Install what the demo and the tests run: HAProxy, Prometheus, Alertmanager, Chromium, Podman
	@scripts/servers.sh

demo: setup servers ## Bring up the shop, a Slack for the laptop and the bot, and say where to look
	@.venv/bin/pilothouse demo

unit: setup ## Run the tests that need no server and no browser, in about a minute
	@$(PYTHON_IN) -m pytest -q -n auto -m "not server and not browser and not demo" \
		tests/unit tests/contract tests/handlers

test: setup servers ## Run all tests, JOBS=3 at a time, then those in quarantine; each passes at its first run
	@JOBS=$(JOBS) scripts/test.sh

check: setup ## Run every check but the tests: lint, format, types, layers, dependencies, docs
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/deptry .
	.venv/bin/vulture
	$(PYTHON_IN) -m pytest -q tests/docs
	$(PYTHON_IN) scripts/reference.py --check
	.venv/bin/hadolint Containerfile localslack/Containerfile
	.venv/bin/mkdocs build --strict

bench: setup ## Measure this engine beside its floor and its peers, which go into .venv-bench
	@test -x .venv-bench/bin/python || $(PYTHON_IN) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --no-deps --require-hashes -r requirements-dev.txt
	@$(PYTHON_IN) scripts/extras.py bench-celery bench-taskiq bench-dbos \
		| xargs .venv-bench/bin/python -m pip install --quiet
	@.venv-bench/bin/python -m bench.engine

load: setup ## Put 200 commands a second on two web processes, and count what became of them
	@$(PYTHON_IN) -m bench.load

fmt: setup ## Format the code and mend what can be mended by machine
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

lock: setup ## Write the pinned packages anew from pyproject.toml
	@test -x .venv/bin/uv || $(PYTHON_IN) -m pip install --quiet uv
	$(COMPILE) -o requirements.txt
	$(COMPILE) --extra demo --extra dev --extra otel -o requirements-dev.txt

reference: setup ## Write the generated pages of docs/reference
	$(PYTHON_IN) scripts/reference.py

docs: setup ## Build the documentation site into site/; a broken link is an error
	.venv/bin/mkdocs build --strict

docs-serve: setup ## Show the documentation site on this machine, rebuilt as you write
	.venv/bin/mkdocs serve

clean: ## Remove .venv, caches and the demo's state
	rm -rf .venv .venv-bench .cache site var .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
