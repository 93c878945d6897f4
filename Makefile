# Everything a fresh machine with Python 3.11 needs. PYTHON=python3.12 make install picks another interpreter.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: install demo test check docs gpu

install: .venv/installed

# The pip of Python 3.11 takes twice as long to choose versions; any pip compiles on one core, the packages' tests too.
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(PIP) --upgrade pip
	$(PIP) --no-compile -e '.[dev]'
	$(BIN)/python -m compileall -qq -j 0 -x '/tests/' .venv/lib || true  # packages hold files that are no Python
	touch $@

demo: install
	$(BIN)/surgenas search

# Where no bytecode may be written, each worker would rewrite the assertions of all tests again, 6 s of each.
test: install check docs
	PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

check: install
	$(BIN)/ruff check src tests benchmarks examples docs
	$(BIN)/ruff format --check src tests benchmarks examples docs
	$(BIN)/mypy

# The site, in build/site/; a link that leads nowhere fails it. The variable: no advertisement for another builder.
docs: install
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

# On a machine with an NVIDIA GPU; its python has torch already (CONTRIBUTING.md), else PY=.venv/bin/python.
PY ?= $(PYTHON)
gpu:
	PYTHONPATH=src:$(PYTHONPATH) $(PY) benchmarks/gpu.py --keep
