# make demo       the whole study in a local workspace, in the browser
# make test       the tests, in some minutes
# make test-long  the tests that take long, such as a whole study of 31 simulated people
# make lint       style, types and who may import whom
# make soak       an hour in which everything breaks: nothing is lost, doubled or late (MINUTES=10 for less, SEED=1)
# make house      draws docs/house.md from the code
# make bench      how fast training, the live feed and the report are (best on a machine that does nothing else)
#
# Each needs Python 3.11 or newer. The first one makes the environment .venv; another Python for it is named so:
# make PYTHON=python3.12 test   (after `make clean`, where there is an environment already)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
AT_ONCE := --dist loadfile --no-loadscope-reorder --numprocesses

# The tests start many processes. Without compiled files each of them would compile the program anew.
unexport PYTHONDONTWRITEBYTECODE

MINUTES ?= 60

.PHONY: demo test test-long soak bench lint house new-venv clean

demo: $(INSTALLED)
	$(BIN)/blackmagic demo

# Most tests of the bot wait more than they compute, so more processes than processors test at once.
test: $(INSTALLED)
	$(BIN)/python -m pytest -m "not long" $(AT_ONCE) 4

test-long: $(INSTALLED)
	$(BIN)/python -m pytest -m long $(AT_ONCE) 2

soak: $(INSTALLED)
	$(BIN)/python -m tests.soak --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

bench: $(INSTALLED)
	$(BIN)/python -m tests.benchmarks
	$(BIN)/python -m tests.benchmarks.live_feed
	$(BIN)/python -m tests.benchmarks.report

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

house: $(INSTALLED)
	$(BIN)/python -m tests.docs.house

# An environment that works is brought up to date; one that does not (its Python is gone, or too old) is made anew.
$(INSTALLED): pyproject.toml requirements-dev.lock
	@$(BIN)/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || $(MAKE) --no-print-directory new-venv
	@echo "Installing into $(VENV); PyTorch is large, so the first time takes some minutes …"
	$(BIN)/python -m pip install --quiet --constraint requirements-dev.lock --editable '.[dev]'
	@touch $@

new-venv:
	@command -v "$(PYTHON)" >/dev/null || \
		{ echo "There is no $(PYTHON). Install Python 3.11 or newer, or name one: make PYTHON=python3.12 …"; exit 2; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; this is $$("$(PYTHON)" --version). Name one: make PYTHON=python3.12 …"; exit 2; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) cannot make environments. On Debian and Ubuntu: apt install python3-venv"; exit 2; }
	"$(PYTHON)" -m venv --clear $(VENV)

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
