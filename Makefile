# Everything a fresh machine with Python 3.11 needs. PYTHON=python3.12 make install picks another interpreter.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: install demo test check

install: .venv/installed

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: install
	$(BIN)/surgenas search

# Where no bytecode may be written, each worker would rewrite the assertions of all tests again, 6 s of each.
test: install check
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

check: install
	$(BIN)/ruff check src tests benchmarks examples
	$(BIN)/ruff format --check src tests benchmarks examples
	$(BIN)/mypy
