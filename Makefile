# Aliases for dev.py, which does the work and needs no make.
PYTHON ?= python3

.PHONY: help run test lint matrix
help:
	@$(PYTHON) dev.py --help
run test lint matrix:
	@$(PYTHON) dev.py $@
