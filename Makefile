# Two commands a newcomer needs: `make demo` and `make test`. `make help` lists the rest.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
RUNTIME_STAMP := $(VENV)/.runtimes
OPENSTACK := var/openstack
export PYTHONDONTWRITEBYTECODE := 1

.DEFAULT_GOAL := help
.PHONY: help setup demo run test check openstack parity fleet fuzz-policy bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(STAMP) $(RUNTIME_STAMP) ## create .venv with the platform, its tools and the runtimes' environment

$(STAMP): pyproject.toml scripts/setup.sh
	@PYTHON=$(PYTHON) bash scripts/setup.sh $(VENV)
	@touch $@

$(RUNTIME_STAMP): $(STAMP) src/rambla_runtimes/python/requirements.txt src/rambla_runtimes/java/Launcher.java
	@$(BIN)/rambla runtime install
	@touch $@

demo: setup ## upload a picture to a real Swift and get its thumbnail back (IMAGE=path.jpg for your own)
	@$(BIN)/rambla demo $(if $(IMAGE),--image "$(IMAGE)")

run: setup ## the demo, and the platform stays up
	@$(BIN)/rambla demo --stay $(if $(IMAGE),--image "$(IMAGE)")

test: setup ## install what is missing and run the whole test suite
	@$(MAKE) --silent $(OPENSTACK)/.few || echo "test: no OpenStack packages, so nothing is compared with oslo.policy, and there is no Keystone"
	@$(BIN)/python -m pytest -n 4 $(ARGS)

check: setup ## ruff, mypy --strict, import-linter, tidy
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports && \
	 $(BIN)/python -m pytest -q -n 0 tests/test_tidy.py

$(OPENSTACK)/.few: scripts/openstack.sh
	@PYTHON=$(PYTHON) bash scripts/openstack.sh $(OPENSTACK) few

$(OPENSTACK)/.all: scripts/openstack.sh
	@PYTHON=$(PYTHON) bash scripts/openstack.sh $(OPENSTACK) all

openstack: $(OPENSTACK)/.all ## install thirteen OpenStack services, to compare decisions with them (about 6 minutes)

parity: setup openstack ## decide as oslo.policy does, in a million requests over 1,861 rules
	@PYTHONPATH=tests $(BIN)/python -m parity $(ARGS)

fleet: setup ## bring policies to 200 hosts, some cut off, some killed (about 2 minutes)
	@PYTHONPATH=tests $(BIN)/python -m fleet $(ARGS)

fuzz-policy: setup ## read 100,000 damaged policy files
	@RAMBLA_FUZZ=100000 $(BIN)/python -m pytest -q -n 0 --timeout 3600 tests/policy/test_fuzz.py $(ARGS)

bench: setup openstack ## cold start, latency, throughput and memory beside peers measured in the same run
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[bench]' && $(BIN)/python -m bench $(ARGS)

clean: ## remove .venv and what the demo left
	rm -rf $(VENV) var .mypy_cache .ruff_cache .pytest_cache .hypothesis
