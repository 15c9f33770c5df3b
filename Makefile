.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test fuzz sure lint fix strings check-strings bench year lighthouse shots lock chromium
BIN := .venv/bin
# The first that is new enough; a name on the PATH may belong to a version that is not really there.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$name; break; }; done)
EXTRACT := $(BIN)/pybabel -q extract -F babel.cfg -k N_ -k _l -k lazy_gettext --no-location --sort-output --omit-header --no-wrap
# Names and dates that change by themselves; what a catalogue needs is its language and its plural forms. The date
# stands still, since compiling would put the present one into the .mo.
HEADER := -e '/^"(Project-Id|Report-Msgid|PO-|Last-|Language-Team|Generated-)/d' -e '/^\# /d' -e '/^\#$$/d' \
	-e 's/^"POT-Creation-Date:.*/"POT-Creation-Date: 2000-01-01 00:00+0000\\n"/'
LANGUAGES := $(wildcard translations/*/LC_MESSAGES/messages.po)

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

run: .venv/.run ## start everything: servers, demo shop, web server, worker and clock
	@$(BIN)/python -m loyalty.serve

test: .venv/.dev chromium ## run all tests, in two processes
	@$(BIN)/pytest -q -n 2 --dist worksteal

fuzz: .venv/.dev ## ask the JSON API 200,000 times what its description allows and forbids (hours; FUZZ_EXAMPLES, FUZZ_SEED)
	@FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-2000} $(BIN)/pytest -q -s tests/web/api/test_schemathesis.py

sure: .venv/.dev lint check-strings ## everything that has to hold before a commit
	$(BIN)/pytest -q tests/test_migrations.py
	@$(MAKE) --no-print-directory test

lint: .venv/.dev ## format, lint, types, import contracts
	$(BIN)/ruff format -q --check .
	$(BIN)/ruff check -q .
	$(BIN)/mypy --no-error-summary loyalty $(wildcard *.py) tests $(wildcard benchmarks)
	$(BIN)/lint-imports --no-logo --no-cache

fix: .venv/.dev ## repair formatting and what the linter can repair
	$(BIN)/ruff check -q --fix-only .
	$(BIN)/ruff format -q .

strings: .venv/.dev ## collect the texts for people and compile the translations
	@mkdir -p translations
	$(EXTRACT) -o translations/messages.pot loyalty templates
	@for po in $(LANGUAGES); do $(BIN)/pybabel -q update -N --ignore-obsolete --no-wrap -i translations/messages.pot \
		-l "$$(echo $$po | cut -d/ -f2)" -o $$po && sed -i.old -E $(HEADER) $$po && rm $$po.old && $(BIN)/pybabel -q compile -i $$po -o $${po%.po}.mo || exit 1; done

check-strings: .venv/.dev
	@mkdir -p build && $(EXTRACT) -o build/messages.pot loyalty templates
	@cmp -s build/messages.pot translations/messages.pot || { echo 'The texts have changed: run `make strings`.'; exit 1; }
	@for po in $(LANGUAGES); do $(BIN)/pybabel -q compile -i $$po -o build/messages.mo && \
		cmp -s build/messages.mo $${po%.po}.mo || { echo "$$po and its .mo differ: run \`make strings\`."; exit 1; }; done

bench: .venv/.dev ## measure stamps, passes and pushes beside what this machine can do
	@$(BIN)/python -m benchmarks

year: .venv/.dev ## live through a year with 10,000 customers whose points expire (an hour or two; CUSTOMERS, SEED, RACES)
	@CUSTOMERS=$${CUSTOMERS:-10000} RACES=$${RACES:-1000} $(BIN)/pytest -q -s tests/test_year.py \
		tests/services/test_expiry_races.py -k 'lives_through or before_or_after_a_visit'

lighthouse: .venv/.dev chromium ## ask Lighthouse about the main pages, on a phone and on a desk (half an hour; needs Node.js; ONLY=office)
	@$(BIN)/python -m benchmarks.lighthouse --only "$${ONLY:-}"

shots: .venv/.dev chromium ## take the screenshots of docs/
	@$(BIN)/python -m tests.browser.shots

lock: .venv/.dev ## pin the newest fitting versions (needs uv)
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command 'make lock' requirements.in -o requirements.txt
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-annotate \
		--custom-compile-command 'make lock' requirements-dev.in -o requirements-dev.txt

chromium: .venv/.dev
	@$(BIN)/python -m tests.chromium

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo 'Python 3.11 or newer is needed.'; exit 1; }
	@if command -v uv >/dev/null; then uv venv -q --seed --no-python-downloads --python $(PYTHON) .venv; else $(PYTHON) -m venv .venv || \
		{ rm -rf .venv; echo 'python3 -m venv does not work here. On Debian and Ubuntu: apt install python3-venv'; exit 1; }; fi

.venv/.run: requirements.txt | .venv/bin/python
.venv/.dev: requirements-dev.txt | .venv/bin/python
.venv/.run .venv/.dev:
	@echo 'Installing $< (once) ...'
	@if command -v uv >/dev/null; then uv pip install -q --python .venv/bin/python --require-hashes -r $<; \
		else .venv/bin/python -m pip install -q --disable-pip-version-check --require-hashes -r $<; fi
	@touch $@ $(if $(filter %.dev,$@),.venv/.run)
