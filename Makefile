# make test    all tests
# make weights download the full VGG-19 (80 MB)
# Each sets up .venv first if need be. Choose another Python: make PYTHON=python3.12 test

PYTHON ?=
ARGS ?=
BIN := .venv/bin
READY := .venv/.ready
export MPLBACKEND ?= agg

.PHONY: test weights
.DEFAULT_GOAL := test

$(READY): requirements.txt constraints.txt tools/setup_venv.sh
	@sh tools/setup_venv.sh $(PYTHON)

test: $(READY)
	$(BIN)/python -m pytest $(ARGS)

weights: $(READY)
	@$(BIN)/python nst_weights.py $(ARGS)
