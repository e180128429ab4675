# The few commands this project is worked with. Nothing is needed but make and Python 3.11 or newer:
# each command first creates .venv and installs exactly what requirements.lock says, hashes checked.

PYTHON ?= python3
BIN := .venv/bin
# Written once the environment is complete; older than the lock means: install again.
READY := .venv/.ready

# Programs of others that read the sandboxes in tests. Each pins what we do not, so each has an environment of its own.
READERS := aiosalesforce tap-hubspot tap-salesforce
LOCKS := tests/compatibility/readers

.DEFAULT_GOAL := help
.PHONY: help demo test laws simulate crashes fuzz lint docs audit lock readers rules mutants clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

demo: $(READY)  ## Run the connector between two sandboxes on this machine, with made-up data
	$(BIN)/connector demo

test: $(READY) readers  ## Run all tests, as many at a time as there are processors
	$(BIN)/python -m pytest -n auto

# A story takes a second or two. The same seed tells the same stories.
STORIES := 1000
STEPS := 25
SEED := 0
laws: $(READY)  ## Search long for a story in which a law does not hold: STORIES=4000 STEPS=25 SEED=7
	MACHINE_EXAMPLES=$(STORIES) MACHINE_STEPS=$(STEPS) $(BIN)/python -m pytest tests/engine/test_laws.py \
		-p no:randomly --hypothesis-seed=$(SEED) -k whatever_happens

# Of each kind of input; the same seed tries the same ones. Some minutes for every hundred.
EXAMPLES := 500
fuzz: $(READY)  ## Try bad input of every kind, and say how much was tried: EXAMPLES=5000 SEED=7
	FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest tests/fuzz -p no:randomly --hypothesis-seed=$(SEED) \
		--hypothesis-show-statistics

SEEDS := 50
simulate: $(READY)  ## Play many seeds of people, faults, clocks and deaths, on all processors: SEEDS=200 SEED=1 UNDO=1
	PYTHONPATH=tests $(BIN)/python -m simulation --seeds $(SEEDS) --seed $(if $(filter 0,$(SEED)),1,$(SEED)) \
		$(if $(UNDO),--undo)

# A spread of the situations: all that can happen, in two styles each. WHOLE=1 is all of them, an hour or more.
# One death is told with the line that plays it again: make crashes ONLY='act, shipped: a role is added' AT=17
ONLY :=
AT :=
MINUTES := inf
WHOLE :=
crashes: $(READY)  ## Let a run die at each request and commit, in a spread of situations, or in all: WHOLE=1
	PYTHONPATH=tests $(BIN)/python -m simulation.crash_report $(if $(WHOLE),--whole) --only "$(ONLY)" --at "$(AT)" --minutes $(MINUTES)

lint: $(READY)  ## Check formatting, style, types and who imports whom
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The variable silences an advertisement for the successor of mkdocs.
docs: $(READY)  ## Build the documentation into build/docs; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

audit: $(READY) .venv-audit/.ready  ## Ask whether a weakness is known of what the lock names; says so if nobody can be asked
	$(BIN)/python .ci/audit.py

rules: $(READY)  ## Write docs/rules.md: every rule with its tests
	$(BIN)/python tests/evidence.py

mutants: $(READY)  ## Try every small mistake in the core: its tests have to notice (minutes; one processor)
	PYTHONHASHSEED=0 PYTHONPATH=tests $(BIN)/python -m mutation

readers: $(READERS:%=.venv-readers/%/.ready)  ## Install the programs of others that tests run

# uv is a tool of this one command, and so not itself in the lock.
COMPILE := $(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header \
	--no-emit-index-url --no-emit-find-links --python-version 3.11
lock: $(BIN)/python  ## Resolve the dependencies anew into requirements.lock, those of the readers and of the audit
	$(BIN)/python -m pip install --quiet uv
	$(COMPILE) --group dev pyproject.toml -o requirements.lock
	for reader in $(READERS); do echo $$reader | $(COMPILE) - -o $(LOCKS)/$$reader.lock || exit 1; done
	echo pip-audit | $(COMPILE) - -o .ci/audit.lock

clean:  ## Remove the environment and everything the tools left behind
	rm -rf .venv .venv-readers .venv-audit .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .coverage htmlcov build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) was not found; try: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed, this is $$($(PYTHON) --version); try: make PYTHON=python3.11" >&2; exit 1; }
	$(PYTHON) -m venv .venv

# The lock names everything, so pip has nothing to resolve: some versions of it would look at a newer release of what
# the lock pins, and refuse it for want of a hash.
# The project itself is installed in place and without its dependencies: those are the lock's business.
$(READY): requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# What audits the dependencies has as many of its own, and is none of them.
.venv-audit/.ready: .ci/audit.lock | $(BIN)/python
	$(BIN)/python -m venv --clear --without-pip .venv-audit
	$(BIN)/python -m pip --python .venv-audit/bin/python install --quiet --disable-pip-version-check \
		--no-deps --require-hashes -r $<
	@touch $@

# Without a pip of their own, which would take longer to make than the rest.
.venv-readers/%/.ready: $(LOCKS)/%.lock | $(BIN)/python
	$(BIN)/python -m venv --clear --without-pip .venv-readers/$*
	$(BIN)/python -m pip --python .venv-readers/$*/bin/python install --quiet --disable-pip-version-check \
		--no-deps --require-hashes -r $<
	@touch $@
