# make run     a stylised picture, from images/ to outputs/
# make test    all tests
# make lab     JupyterLab with the notebooks
# make weights download the full VGG-19 (80 MB)
# Each sets up .venv first if need be. Choose another Python: make PYTHON=python3.12 run

PYTHON ?=
ARGS ?=
BIN := .venv/bin
READY := .venv/.ready
export MPLBACKEND ?= agg

.PHONY: run test lab weights
.DEFAULT_GOAL := run

$(READY): requirements.txt constraints.txt tools/setup_venv.sh
	@sh tools/setup_venv.sh $(PYTHON)

test: $(READY)
	$(BIN)/python -m pytest $(ARGS)

weights: $(READY)
	@$(BIN)/python nst_weights.py $(ARGS)
