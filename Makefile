.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -o pipefail -c

PORT ?= 8000
AWS_PORT ?= 4566
STAGE ?=
STACK ?=
OVERLAP_HOURS ?= 24
SEEDS ?= 10000
ARCH ?=
ENV ?= dev
VENV := .venv
PYTHON := $(VENV)/bin/python
export SAM_CLI_TELEMETRY := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  Variables: PORT=$(PORT) AWS_PORT=$(AWS_PORT) STAGE=$(STAGE)"

start: $(VENV)/start ## Run everything on http://127.0.0.1:8000 (PORT=, AWS_PORT=, STAGE=)
	@exec $(PYTHON) -m local --port $(PORT) --aws-port $(AWS_PORT) --stage "$(STAGE)"

test: $(VENV)/dev ## Run all tests
	$(PYTHON) -m pytest

soak: $(VENV)/dev ## Play many more simulated stories: SEEDS=10000, or one again: SEED=1234
	SEEDS="$(SEEDS)" $(if $(SEED),SEED="$(SEED)") $(PYTHON) -m pytest tests/reliability/test_simulation.py

build: $(VENV)/dev ## Build what is deployed, into .aws-sam: ARCH=x86_64 or arm64
	@$(if $(PYTHON_3_13),,echo "Python 3.13, which Lambda runs, is neither on PATH nor in pyenv." \
		"Install it, for example: pyenv install 3.13"; exit 1)
	PATH="$(dir $(PYTHON_3_13)):$$PATH" ARCH=$(or $(ARCH),x86_64) $(VENV)/bin/sam build \
		--parameter-overrides Architecture=$(or $(ARCH),x86_64)
	@for folder in .aws-sam/build/*Function; do $(PYTHON_3_13) -m compileall -q \
		--invalidation-mode unchecked-hash -s $$folder -p /var/task $$folder || exit 1; done

deploy: $(VENV)/dev ## Deploy what was built: ENV=dev or prod [ARCH=, to be sure of it]
	@PATH="$(VENV)/bin:$$PATH" $(PYTHON) -m local.deploy --env "$(ENV)" --arch "$(ARCH)"

bench: $(VENV)/dev ## Measure everything against its goal: one table
	$(PYTHON) -m tests.benchmarks

check: $(VENV)/dev ## Lint, types and template
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	AWS_DEFAULT_REGION=us-east-1 $(VENV)/bin/sam validate --lint

format: $(VENV)/dev ## Format the code
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

key: $(VENV)/start ## Issue an API key: MERCHANT=id MODE=test|live [NAME= COUNTRY= …] [STACK=]
	@$(KEYS) issue --merchant "$(MERCHANT)" --mode "$(MODE)" --name "$(NAME)" --email "$(EMAIL)" \
		--country "$(COUNTRY)" --statement-descriptor "$(DESCRIPTOR)" \
		--local-currency "$(LOCAL_CURRENCY)" --settlement-currency "$(SETTLEMENT_CURRENCY)"

rotate: $(VENV)/start ## Replace an API key: KEY=key or id [OVERLAP_HOURS=24] [STACK=]
	@$(KEYS) rotate --key "$(KEY)" --overlap-hours "$(OVERLAP_HOURS)"

revoke: $(VENV)/start ## End an API key now: KEY=key or id [STACK=]
	@$(KEYS) revoke --key "$(KEY)"

currencies: $(VENV)/dev ## Regenerate the currency table from the iso4217 package
	$(PYTHON) -m local.currencies

lock: $(VENV)/dev ## Resolve the requirements anew
	cd tests && ../$(PIP_COMPILE) requirements.in
	cd local && ../$(PIP_COMPILE) -c ../tests/requirements.txt requirements.in
	cd layers/dependencies && ../../$(PIP_COMPILE) -c ../../tests/requirements.txt requirements.in
	cd tests/benchmarks/baselines && ../../../$(PIP_COMPILE) \
		-c ../../../layers/dependencies/requirements.txt requirements.in

clean: ## Remove what was installed and built
	rm -rf $(VENV) .aws-sam .pytest_cache .mypy_cache .ruff_cache

KEYS = $(PYTHON) -m local.keys --stack "$(STACK)" --aws-port "$(AWS_PORT)"
PYTHON_3_13 = $(firstword $(foreach candidate, \
	python3.13 $(wildcard $(HOME)/.pyenv/versions/3.13.*/bin/python3.13), \
	$(shell $(candidate) -c 'import sys; print(sys.executable)' 2>/dev/null)))
PIP_COMPILE := $(VENV)/bin/pip-compile --quiet --no-emit-index-url --no-emit-find-links \
	--no-header --no-annotate --strip-extras

# Installs a lock file, once, counting its packages as pip comes to them.
define install
@$(PYTHON) -m pip install --progress-bar off --requirement $(2) | awk -v all="$$(wc -l < $(2))" ' \
	/^(Collecting|Requirement already)/ && n < all {printf "\r· Installing $(1) (once): %d of %d packages", ++n, all; fflush()} \
	/^Installing/ {printf "\n· Unpacking them\n"; fflush()} END {print ""}'
@touch $@
endef

which-python:
	@echo "$(PYTHON_3_13)"

.local/baselines: tests/benchmarks/baselines/requirements.txt
	@echo "· Installing what we are compared with (once)"
	@rm -rf $@ && $(PYTHON_3_13) -m pip install --quiet --root-user-action ignore \
		--no-deps --requirement $< --target $@
	@touch $@

$(VENV)/bin/python:
	@echo "· Creating $(VENV)"
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed, python3 is $$(python3 --version)"; exit 1; }
	@python3 -m venv $(VENV)

$(VENV)/start: local/requirements.txt $(VENV)/bin/python
	$(call install,what the local stack needs,local/requirements.txt)

$(VENV)/dev: tests/requirements.txt $(VENV)/start
	$(call install,what tests and checks need,tests/requirements.txt)

.PHONY: help start test soak build deploy bench which-python check format key rotate revoke currencies lock clean
