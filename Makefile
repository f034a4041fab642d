# make demo   the whole study in a local workspace, in the browser
# make test   every check that CI runs
# make bench  how fast training, the live feed and the report are (best on a machine that does nothing else)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test bench lint clean

demo: $(INSTALLED)
	$(BIN)/blackmagic demo

test: lint
	@# Three files at a time wait for each other's processors: what failed there is run again by itself, and decides.
	$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder || \
		$(BIN)/python -m pytest --last-failed --last-failed-no-failures none

bench: $(INSTALLED)
	$(BIN)/python -m tests.benchmarks
	$(BIN)/python -m tests.benchmarks.live_feed
	$(BIN)/python -m tests.benchmarks.report

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(INSTALLED): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; this is $$($(PYTHON) --version). Name another: make PYTHON=python3.12 …"; exit 2; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
