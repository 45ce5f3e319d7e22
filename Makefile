# make demo: train on real data and show what the schedule did.    make test: everything that is checked.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt

export TF_CPP_MIN_LOG_LEVEL ?= 3

.PHONY: demo test bench docs docs-images browser clean
.NOTPARALLEL:  # one pip at a time

demo: .venv/demo
	KERAS_BACKEND=jax $(BIN)/python -m kosine.demo

test: .venv/test browser
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests --ignore=tests/keras
	KERAS_BACKEND=jax $(BIN)/python -m pytest tests/keras
	KERAS_BACKEND=tensorflow $(BIN)/python -m pytest tests/keras
	KERAS_BACKEND=torch $(BIN)/python -m pytest tests/keras

bench: .venv/test
	$(BIN)/python -m benchmarks

docs: docs-images
	$(BIN)/kosine lint --explain > docs/lint.md.part && mv docs/lint.md.part docs/lint.md

docs-images: .venv/test browser
	$(BIN)/python -m scripts.docs_images

browser:  # Debian's, for the tests of html pages; where it cannot be installed, they say so
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  export DEBIAN_FRONTEND=noninteractive; apt-get update -qq && \
	  apt-get install -qq --yes --no-install-recommends chromium fonts-dejavu-core >/dev/null; \
	fi || echo "Chromium could not be installed." >&2

clean:
	rm -rf .venv runs build dist

.venv/python:
	$(PYTHON) -m venv .venv
	touch $@

.venv/demo: .venv/python pyproject.toml constraints.txt
	$(PIP) --editable '.[demo]'
	touch $@

.venv/test: .venv/python pyproject.toml constraints.txt
	$(PIP) --editable '.[test]'
	$(PIP) --no-deps timm mosaicml megatron-core  # only their schedulers are run, without what the rest of them needs
	touch $@
