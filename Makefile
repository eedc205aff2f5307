# The doors of the house. Each target does its own set-up (tools/setup) and skips what is done.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test check format bench soak mutants fresh assets guide sbom lock clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Run the demonstration district on this machine (ARGS="--listen 127.0.0.1:9000" passes on)
	@tools/setup run
	@exec .venv/bin/loa run $(ARGS)

test: ## Run every test, in two processes (ARGS="tests/audio -x" passes on, ARGS="-n 0" is one process)
	@tools/setup test
	@.venv/bin/pytest -n 2 --dist loadgroup $(ARGS)

check: ## Lint, format, types, words, the direction of imports, and the branches of the core that its tests reach
	@tools/setup test
	@tools/check

format: ## Bring the sources into shape
	@tools/setup test
	@.venv/bin/ruff check --fix .
	@.venv/bin/ruff format .

bench: ## Run every benchmark and print its figures (ARGS="--n 100" passes on)
	@tools/setup test
	@.venv/bin/loa bench all $(ARGS)

soak: ## Run the tests that take hours
	@tools/setup test
	@.venv/bin/pytest -m soak tests $(ARGS)

mutants: ## Put 300 small mistakes into the core, one at a time, and tell which the tests do not notice (ARGS="--only flow")
	@tools/setup test
	@.venv/bin/python tools/mutants.py $(ARGS)

fresh: ## Prove `make run` and `make test` in a clean Debian 12 root
	@tools/fresh

assets: ## Build the web assets
	@tools/setup assets

guide: ## Write the operator's guide anew, with the pictures that the browser tests made last
	@.venv/bin/python tools/guide.py --pictures

sbom: ## Print the bill of materials (CycloneDX) of what is locked
	@tools/setup run >&2
	@.venv/bin/python tools/sbom.py

lock: ## Bring the lock files up to date with what is asked for (UPGRADE=1: newest versions)
	@tools/setup test
	@tools/lock $(if $(UPGRADE),--upgrade)

clean: ## Remove what the set-up made; data stays
	rm -rf .venv .setup build *.egg-info webui/static/dist webui/frontend/node_modules
