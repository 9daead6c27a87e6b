# make run     a stylised picture, and how it came about, in outputs/
# make test    all tests but the slow ones, and every notebook once, small
# make test-all the slow ones: processes that are killed, full disks, a browser, a cluster (installs Dask first)
# make lab     JupyterLab with the notebooks
# make weights download the full VGG-19 (80 MB)
# make colab   everything that the notebooks need, as one zip, in outputs/
# make gallery the README's pictures, anew, in outputs/gallery/
# make docs    the notebooks as a static site, in outputs/site/
# make exercises the student copies, from the solved notebooks
# Each sets up .venv first if need be. Choose another Python: make PYTHON=python3.12 run

PYTHON ?=
ARGS ?=
BIN := .venv/bin
READY := .venv/.ready
CLUSTER := .venv/.cluster
export MPLBACKEND ?= agg

.PHONY: run test test-all lab weights colab gallery docs exercises
.DEFAULT_GOAL := run

$(READY): requirements.txt constraints.txt pyproject.toml tools/setup_venv.sh
	@sh tools/setup_venv.sh $(PYTHON)

$(CLUSTER): $(READY)
	@$(BIN)/python -m pip install --disable-pip-version-check -q -e '.[cluster]' -c constraints.txt && touch $@ || \
		echo "Dask cannot be installed (see above): its tests are skipped." >&2

run: $(READY)
	@env -u MPLBACKEND $(BIN)/python tools/run_notebook.py notebooks/01_neural_style_transfer.ipynb $(ARGS)

lab: $(READY)
	env -u MPLBACKEND $(BIN)/jupyter lab notebooks $(ARGS)

test: $(READY)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(ARGS)

test-all: $(CLUSTER)
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder -m slow $(ARGS)

weights: $(READY)
	@$(BIN)/python -m nst_support.weight_files $(ARGS)

colab: $(READY)
	@$(BIN)/python tools/make_colab.py

gallery: $(READY)
	$(BIN)/python tools/make_gallery.py $(ARGS)

exercises: $(READY)
	@$(BIN)/python tools/make_exercises.py

docs: $(READY)
	@$(BIN)/python tools/make_docs.py
