# Aliases for dev.py, which does the work and needs no make.
PYTHON ?= python3

.PHONY: help run test prove lint matrix
help:
	@$(PYTHON) dev.py --help
run test prove lint matrix:
	@$(PYTHON) dev.py $@
