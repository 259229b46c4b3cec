# Every target sets up what it needs. `make help` lists them.
SHELL  := /bin/bash
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
TORCH  := $(shell grep -o 'torch==[0-9.]*' pyproject.toml | head -n 1)
# The first interpreter that fits; PYTHON=/path/to/python3 overrides it.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))' 2>/dev/null \
	&& { command -v $$p; break; }; done)
# nbgrader and papermill start their helpers by name.
export PATH := $(abspath $(BIN)):$(PATH)
# A mirror of the data sets beside the repository is used where there is one.
COURSE_MIRROR ?= $(wildcard $(abspath ../shared/data))
export COURSE_MIRROR

# JupyterLab refuses root, which is who one is in a container, unless told.
AS_ROOT := $(shell test "$$(id -u)" = 0 && echo --allow-root)

.DEFAULT_GOAL := help
.PHONY: help setup nvrtc-beside-cpu-torch lab test lint unit notebooks course grade progress answers attack bench bench-cuda lm lm-table perplexities sentiment sentiment-table gptqmodel autogptq llamacpp lm-gguf gpu postgresql browser compiler fuzz-gguf clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11, 3.12 or 3.13 is needed: install one, or say make PYTHON=/path/to/python3."; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) cannot make virtual environments: install its venv package (python3-venv)."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing into $(VENV), once; this takes some minutes."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,cluster]'
	@$(MAKE) --no-print-directory nvrtc-beside-cpu-torch
	@touch $(STAMP)

# NVIDIA's compiler (65 MB, no GPU needed) checks CUDA sources. A torch with CUDA pins another version of it.
nvrtc-beside-cpu-torch:
	@$(BIN)/python -c 'import sys; from importlib.metadata import requires as r; \
		sys.exit(sys.platform != "linux" or any("nvidia" in x for x in r("torch")))' \
		&& $(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[nvrtc]' \
		|| echo "NVRTC is not installed: CUDA sources are compiled by the host's compiler alone."

setup: $(STAMP)  ## the virtual environment, with every pin

lab: $(STAMP)  ## JupyterLab on the lessons in modules/
	@course build --check >/dev/null 2>&1 || course build
	cd modules && jupyter lab $(AS_ROOT)

lint: $(STAMP)  ## ruff over the code and the sources
	ruff check .
	ruff format --check .

unit: $(STAMP)  ## pytest: units, answers bank, nbgrader round trip
	pytest -n 2 --dist loadgroup -rs

notebooks: $(STAMP)  ## every solution through papermill
	@course build --check
	python ci/run_notebooks.py

test: $(STAMP) lint  ## everything CI needs: lint, build check, pytest, papermill
	course build --check
	$(MAKE) --no-print-directory notebooks
	$(MAKE) --no-print-directory unit

course: $(STAMP)  ## the whole story: build, run, grade a made-up class, PROGRESS.md
	course build
	python ci/run_notebooks.py
	course sample-class
	course progress --blank --out PROGRESS.md
	course progress --gradebook autograder/work/sample-class/gradebook.db \
		--out autograder/work/sample-class/PROGRESS.md --html autograder/work/sample-class/progress.html

grade: $(STAMP)  ## autograde submissions and write feedback: make grade A=1.1-quantization-theory
	@test -n "$(A)" || { echo "Which assignment? make grade A=1.1-quantization-theory"; exit 1; }
	nbgrader generate_assignment "$(A)" --force
	nbgrader autograde "$(A)"
	nbgrader generate_feedback "$(A)"

progress: $(STAMP)  ## your own dashboard from your check results
	course progress

answers: $(STAMP)  ## the bank of right and wrong answers, as a table in autograder/ANSWERS.md
	course answers --out autograder/ANSWERS.md

attack: $(STAMP)  ## grade the bank of hostile submissions (some minutes): autograder/ATTACKS.md
	cd tests && python -m attacks --out ../autograder/ATTACKS.md

fuzz-gguf: $(STAMP)  ## a minute of changed GGUF files against the reference reader
	python -m autograder.checks.oracles.gguf_fuzz --seconds 60

bench: bench-cuda  ## measure CUDA on the CPU, and grading beside stock nbgrader (a quiet machine, about 10 minutes): autograder/BENCH.md
	course bench --scale --out autograder/BENCH.md

bench-cuda: $(STAMP)
	python -m ci.cuda_bench

lm: $(STAMP)  ## train the shipped language models again (resumes), then measure them
	python -m data.language_model train
	python -m data.language_model figures

lm-table: $(STAMP)  ## measure the shipped language models: perplexities and their card
	python -m data.language_model figures

sentiment: $(STAMP)  ## train the shipped sentiment classifiers again (resumes), then measure them
	python -m data.sentiment train
	python -m data.sentiment figures

sentiment-table: $(STAMP)  ## measure the shipped sentiment classifiers and write their card
	python -m data.sentiment figures

perplexities: $(STAMP)  ## measure RTN, GPTQ, AWQ, NF4 and QLoRA on the shipped model: docs/perplexities-1.2.md
	python -m data.perplexities

gptqmodel: $(STAMP)  ## quantize the shipped model with GPTQModel, in an environment of its own
	python -m data.gptq_libraries gptqmodel

autogptq: $(STAMP)  ## the same with AutoGPTQ, which is archived and needs CPython 3.11
	python -m data.gptq_libraries autogptq

llamacpp: $(STAMP)  ## build llama.cpp for module 1.4, once (about 2 CPU minutes), and install it
	@python -m lab.llamacpp_build

# The shipped model quantized by llama.cpp, for machines without it.
lm-gguf: llamacpp
	@python -m data.lm_gguf

gpu: $(STAMP)  ## every solution at the GPU profile, on a CUDA machine
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,gpu]'
	-python -m data.record_traces --gpu  # traces for module 1.6, lesson 3
	-python -m ci.ncu_counters  # counters for module 1.6; goes on without ncu
	python ci/run_notebooks.py --profile gpu

postgresql:  ## as root on Debian or Ubuntu: the server that tests of the gradebook start
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || { apt-get update -qq -o Acquire::Retries=3 \
		&& DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Acquire::Retries=3 --no-install-recommends postgresql; }

# As root on Debian or Ubuntu: the headless browser that tests of pages open.
browser:
	@command -v chromium chromium-browser google-chrome >/dev/null || { apt-get update -qq -o Acquire::Retries=3 \
		&& DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Acquire::Retries=3 --no-install-recommends chromium; }

compiler:  ## as root on Debian or Ubuntu: g++, for llama.cpp and for CUDA without a GPU
	@command -v g++ clang++ >/dev/null || { apt-get update -qq -o Acquire::Retries=3 \
		&& DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o Acquire::Retries=3 --no-install-recommends g++; }

clean:  ## remove what was generated, not the environment nor the gradebook
	rm -rf ci/out autograder/work/source autograder/work/sample-class .pytest_cache .ruff_cache
