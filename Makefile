# Each target makes the environment it needs from python3.11 alone, and keeps it until the pins change.
PYTHON ?= $(shell command -v python3.11 || echo python3)
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet -c constraints.txt
ONE_THREAD := OMP_NUM_THREADS=1 OPENMM_CPU_THREADS=1
BENCHMARKS := recommend slots one_core md_overhead md_physics augmentation audit
SEEDS ?= 20

.PHONY: demo test check bench validate
.DELETE_ON_ERROR:

demo: $(VENV)/installed  ## run the quickstart campaign, or go on with it, and write its report
	$(BIN)/loop run campaigns/quickstart.yaml
	$(BIN)/loop status campaigns/quickstart.yaml
	$(BIN)/loop report campaigns/quickstart.yaml

test: $(VENV)/installed  ## the whole test suite
	$(ONE_THREAD) $(BIN)/pytest -n 2

check: $(VENV)/installed-dev  ## lint, format, types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(VENV)/installed-bench  ## measured comparisons that need no folder, one after the other; docs/benchmarks.md
	@set -e; for name in $(BENCHMARKS); do echo "== $$name"; $(ONE_THREAD) $(BIN)/python -m benchmarks.$$name; done
	@echo "== sample_efficiency: hours, kept as they are done; make bench SEEDS=1 for a first look"
	$(ONE_THREAD) $(BIN)/python -m benchmarks.sample_efficiency --seeds $(SEEDS)

validate: $(VENV)/installed  ## docs/validation.md: the physics against references; what was measured before is kept
	$(ONE_THREAD) $(BIN)/python -m benchmarks.validation

$(VENV)/installed: pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || \
	  { echo "$(PYTHON) is not on the PATH; install Python 3.11, or name another: make PYTHON=python3.12" >&2; exit 1; }
	@echo "Installing into $(VENV): about two minutes and 3 GB the first time"
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e ".[test,parquet]"
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed
	$(PIP) -e ".[dev,parquet]"
	@touch $@

$(VENV)/installed-bench: $(VENV)/installed
	$(PIP) -e ".[test,parquet,bench]"
	@touch $@
