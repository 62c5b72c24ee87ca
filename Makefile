# Evidence Desk 证据台. `make help` lists the targets.
SHELL := /bin/sh
UV := $(shell command -v uv 2>/dev/null || echo .cache/uv/bin/uv)
RUN := $(UV) run --no-sync
CODE := evidence_desk tsa reports ui tests scripts
PYTEST := $(RUN) pytest -q
# one more than there are cores: many tests wait for processes of their own
WORKERS := $(shell expr $$(getconf _NPROCESSORS_ONLN) + 1)

.DEFAULT_GOAL := help
.PHONY: release-files package-linux test-package-linux package-windows test-package-windows help setup setup-demo engine demo run pictures test e2e test-full lint types contracts unit bench format clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 14

setup: ## install what tests need (Debian packages, uv, locked Python packages)
	@scripts/setup.sh test

setup-demo:
	@scripts/setup.sh demo

engine: ## build the court network's consensus engine into .cache (minutes the first time)
	@scripts/engine.sh

demo: setup-demo engine ## the whole main job on a sample case, then a flipped byte and its failure
	@$(RUN) python scripts/demo.py

run: ## the desktop program
	@scripts/setup.sh run
	@$(RUN) evidence-desk-gui

pictures: demo ## docs/images and docs/manual/images anew, from the demo's own results and the real window
	@$(RUN) python scripts/pictures.py
	@$(RUN) python scripts/portal_pictures.py
	@nice -n 15 $(RUN) python scripts/manual_pictures.py

test: setup engine lint types contracts unit ## every check; what CI runs

lint: ## ruff: rules and format
	@$(RUN) ruff check $(CODE)
	@$(RUN) ruff format --check $(CODE)

types: ## mypy, strict
	@$(RUN) mypy

contracts: ## import layers
	@$(RUN) lint-imports

unit: ## all tests but the long variants; networks of real nodes get the machine to themselves
	@$(PYTEST) -n $(WORKERS) --dist worksteal -m "not full and not bench and not engine and not package"
	@$(PYTEST) -m "engine and not full and not bench"

package-linux: engine ## dist/: the programs as archive and Debian packages; FAST=1 packs lightly, for tests
	@UV_PROJECT_ENVIRONMENT=.cache/package/venv $(UV) sync --locked --quiet --no-default-groups --group package --no-install-project
	@PYTHONPATH=. .cache/package/venv/bin/python -m scripts.package_linux $(if $(FAST),--fast)

test-package-linux: setup ## the Linux packages in dist/: unpacked, installed, run under Xvfb, removed
	@$(PYTEST) -m package tests/package/linux

package-windows: ## dist/: the Windows setup and the small verifier, made on Linux; FAST=1 packs lightly, for tests
	@scripts/package_windows/setup.sh
	@UV_PROJECT_ENVIRONMENT=.cache/package/venv $(UV) sync --locked --quiet --no-default-groups --group package --no-install-project
	@UV=$(UV) PYTHONPATH=. nice -n 15 .cache/package/venv/bin/python -m scripts.package_windows $(if $(FAST),--fast)

test-package-windows: setup ## the Windows setup and verifier in dist/ under wine: install, self-test, upgrade, faults, uninstall
	@scripts/package_windows/setup.sh test
	@$(PYTEST) -m package tests/package/windows

release-files: setup ## dist/: component lists, license texts, notes, signed list of the files; PARTIAL=1 with what packages there are
	@PATH="$$PATH:/usr/local/go/bin" PYTHONPATH=. $(RUN) python -m scripts.release $(if $(PARTIAL),--partial)

e2e: setup engine ## three users play the whole job on the desktop program; pictures in build/screens
	@$(PYTEST) -s tests/e2e/test_desktop.py

test-full: setup engine ## the long variants: every byte flipped, 200 kill -9, 1,000 serial restarts
	@$(PYTEST) -n $(WORKERS) --dist worksteal -m "not bench and not engine and not package"
	@$(PYTEST) -m "engine and not bench"

bench: setup engine ## figures against named peers in the same run
	@$(RUN) python -m tests.bench

format: ## rewrite to house format
	@$(RUN) ruff check --fix $(CODE)
	@$(RUN) ruff format $(CODE)

clean: ## remove what demo and tests made
	@rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage htmlcov
