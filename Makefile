# make demo: set up everything, then train the main job. make test: set up everything, then run all tests.
# Both reuse .venv when it is up to date. CONSTRAINTS=/dev/null installs the newest versions instead of the pinned ones.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
CONSTRAINTS ?= constraints.txt
BIN := .venv/bin
OK := .venv/.ok

.PHONY: demo test fast lint clean

demo: $(OK)
	$(BIN)/graphlab train examples/demo.toml

test: $(OK)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2

fast: $(OK)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 -m "not slow"

lint: $(OK)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

$(OK): pyproject.toml setup.py constraints.txt $(wildcard cuda/*)
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "graphlab needs Python >= 3.11, this is " + sys.version)'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q -c $(CONSTRAINTS) torch
	$(BIN)/python -m pip install -q -c $(CONSTRAINTS) -e '.[ogb,report,dev]'
	touch $(OK)

clean:
	rm -rf .venv build dist *.egg-info
