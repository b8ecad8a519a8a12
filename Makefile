# `make demo` and `make test` do all their set-up themselves, on a machine with Python 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test fuzz clean

demo: $(VENV)/demo
	$(BIN)/tokcodec demo --out demo

test: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto

# A minute of coverage-guided fuzzing; needs atheris.
fuzz: $(VENV)/dev
	$(BIN)/pip install -q atheris
	$(BIN)/python tests/fuzz/fuzz_decode.py -max_total_time=60

$(VENV)/bin/pip:
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo: pyproject.toml | $(VENV)/bin/pip
	$(BIN)/pip install -q -e '.[onnx]' 'scikit-image>=0.24'
	touch $@

$(VENV)/dev: pyproject.toml | $(VENV)/bin/pip
	$(BIN)/pip install -q -e '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) demo build/lib build/bdist* *.egg-info
