# make demo: train on real data and show what the schedule did.    make test: style, types and tests.
PYTHON ?= python3
BIN := .venv/bin
PIP_INSTALL := -m pip --disable-pip-version-check install --quiet --no-compile --constraint
PIP := $(BIN)/python $(PIP_INSTALL) constraints.txt
# On both cores, which pip does not do, and without what no test imports. A file that is none of this version's is passed over.
COMPILE := -m compileall -qq -j 2 -x '/tests/|/transformers/models/'
BENCH := .venv-bench/bin
OLDEST := .venv-oldest/bin

export TF_CPP_MIN_LOG_LEVEL ?= 3
# Tests start many processes: each would compile kosine anew.
export PYTHONDONTWRITEBYTECODE :=

# Two processes. A file goes to the one that is idle, so that what its tests share is made once; of a few long files, a test.
BY_FILE := --numprocesses 2 --dist loadfile --no-loadscope-reorder
BY_TEST := --numprocesses 2 --dist worksteal
SLOW = $(shell grep -rl 'pytest\.mark\.slow' tests --include='test_*.py')

# Left out with the oldest versions: PyTorch and TensorFlow, a dialect of one version of Keras, an optimizer that came after
# Keras 3.12, examples and pages, which show what the versions of constraints.txt print, and what sweeps.
NOT_OLDEST := $(patsubst %,--ignore=tests/%, docs torch test_applied.py examples/test_examples.py examples/test_sweep_ray.py \
  tune/test_tools.py tune/test_ray.py tune/test_pruning.py keras/test_pruning.py keras/test_keras_tuner.py \
  export/test_python.py export/test_huggingface.py keras/test_parts.py keras/test_streams.py logs/read/test_torch_writers.py \
  $(patsubst %,faults/test_%.py, devices killed_keras killed_torch) \
  $(patsubst %,dialects/test_%.py, composer huggingface keras megatron names timm torch)) \
  $(patsubst %,--deselect=tests/%, export/test_single.py::test_keras_on_the_other_backends)

.PHONY: demo test test-slow test-oldest bench mutation docs pictures browser clean
.NOTPARALLEL:  # one pip at a time

demo: .venv/demo
	KERAS_BACKEND=jax $(BIN)/python examples/train_digits.py

test: .venv/test browser
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest tests --ignore=tests/keras -m 'not slow' $(BY_FILE)
	KERAS_BACKEND=jax $(BIN)/python -m pytest tests/keras $(BY_TEST)
	KERAS_BACKEND=tensorflow $(BIN)/python -m pytest tests/keras $(BY_TEST)
	KERAS_BACKEND=torch $(BIN)/python -m pytest tests/keras $(BY_TEST)

test-slow: .venv/test
	$(BIN)/python -m pytest $(SLOW) -m slow $(BY_TEST)

test-oldest: .venv-oldest/test browser  # the oldest versions that pyproject.toml admits: all but PyTorch and TensorFlow
	$(OLDEST)/python -m pytest tests --ignore=tests/keras $(NOT_OLDEST) -m 'not slow' $(BY_FILE)
	KERAS_BACKEND=jax $(OLDEST)/python -m pytest tests/keras $(NOT_OLDEST)

bench: .venv-bench/ready
	$(BENCH)/python -m benchmarks

mutation: .venv/mutation
	$(BIN)/python -m scripts.mutation

docs: .venv/test  # the site, offline
	rm -rf build/docs
	KERAS_BACKEND=jax $(BIN)/python -m sphinx -b html -W --keep-going -n -q docs build/docs
	@echo "Open build/docs/index.html"

pictures: .venv/test browser  # of the docs, by their commands there; and the page of lint's codes
	$(BIN)/python -m scripts.pictures
	$(BIN)/kosine lint --explain > docs/lint.md.part && mv docs/lint.md.part docs/lint.md

browser:  # Debian's, for the tests of html pages; where it cannot be installed, they are skipped and say so
	@for name in chromium chromium-browser google-chrome; do command -v $$name >/dev/null && exit; done; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  export DEBIAN_FRONTEND=noninteractive; apt-get update -qq && \
	  apt-get install -qq --yes --no-install-recommends chromium fonts-dejavu-core >/dev/null; \
	fi || echo "Chromium could not be installed." >&2

clean:
	rm -rf .venv .venv-bench .venv-oldest runs build dist

.venv/python:
	$(PYTHON) -m venv .venv
	touch $@

.venv/demo: .venv/python pyproject.toml constraints.txt
	$(PIP) --editable '.[demo]'
	touch $@

.venv/test: .venv/python pyproject.toml constraints.txt
	$(PIP) --editable '.[test]'
	$(PIP) --no-deps timm mosaicml megatron-core  # only their schedulers are run, without what the rest of them needs
	$(BIN)/python $(COMPILE) .venv/lib || true
	touch $@

.venv/mutation: .venv/python pyproject.toml constraints.txt
	$(PIP) --editable '.[mutation]'
	touch $@

.venv-bench/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-bench
	$(BENCH)/python $(PIP_INSTALL) constraints.txt --editable '.[bench]'
	$(BENCH)/python $(PIP_INSTALL) constraints.txt --no-deps pytorch-ignite timm  # only their schedulers are run
	touch $@

.venv-oldest/test: pyproject.toml constraints-oldest.txt
	$(PYTHON) -m venv .venv-oldest
	$(OLDEST)/python $(PIP_INSTALL) constraints-oldest.txt --editable '.[test-core]'
	$(OLDEST)/python $(COMPILE) .venv-oldest/lib || true
	touch $@
