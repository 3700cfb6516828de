# SPDX-FileCopyrightText: 2026 Holdfast contributors
# SPDX-License-Identifier: GPL-3.0-or-later

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
.NOTPARALLEL:

export PATH := $(CURDIR)/.venv/bin:$(PATH):/usr/sbin:/sbin
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
# ansible keeps its caches at home; an account without one gets one here.
ifneq ($(shell test -w "$$HOME" && echo yes),yes)
export HOME := $(CURDIR)/.build/home
$(shell mkdir -p "$(HOME)" 2>/dev/null)
endif

RUN := PYTHONPATH=$(CURDIR)/.build/python python -m
# Interrupted (and so with its teardown and its closing line) rather than killed.
PYTEST := timeout --foreground --signal=INT --kill-after=60 1500 pytest

##@ Try it

.PHONY: demo
demo: setup ## build the lab, set it up with the real playbooks, switch over and back under load, cut the power
	@$(RUN) holdfast_lab demo

.PHONY: lab-up
lab-up: setup ## start the lab and leave it running, for ansible-playbook -i inventory/lab ...
	@$(RUN) holdfast_lab up

.PHONY: lab-down
lab-down: venv ## stop the lab
	@$(RUN) holdfast_lab down

##@ Test it

.PHONY: test
test: setup ## everything: static checks, unit tests, model, scenarios, simulation, lab (about 12 minutes)
	@$(PYTEST) -n 2 --dist loadfile -m 'not long' --durations=8

.PHONY: test-long
test-long: setup ## the lab's longer trials: arbiters and certificates exchanged, nodes added and removed, a share lost, an etcd torn apart
	@$(PYTEST) -m long tests/lab

.PHONY: unit
unit: setup ## the unit tests and scenarios
	@$(PYTEST) -q -n 2 $(wildcard tests/unit tests/scenarios)

.PHONY: lint
lint: setup ## ruff, mypy, ansible-lint, documentation, licences, changelog, package
	@$(PYTEST) -q tests/static tests/unit/test_tidy.py -k "not sanity"

.PHONY: sanity
sanity: setup ## ansible-test sanity
	@python tests/support/sanity.py

.PHONY: simulate
simulate: venv ## explore random schedules of faults on all cores
	@$(RUN) holdfast_sim

MINUTES ?= 5
ARBITER ?= witness
.PHONY: soak
soak: setup ## random faults on a lab for MINUTES=5, watched from outside [SEED= ARBITER=witness|etcd]
	@$(RUN) holdfast_lab.trials --minutes $(MINUTES) --arbiter $(ARBITER) $(if $(SEED),--seed $(SEED))

.PHONY: model
model: setup ## check the models of the ownership protocol exhaustively (half an hour)
	@python tests/support/spin.py

##@ Measure it

.PHONY: bench-switchover
bench-switchover: setup ## outage that clients see in a switchover, beside the floor of this machine
	@$(RUN) holdfast_bench.switchover

.PHONY: bench-failover
bench-failover: setup ## seconds without and of double service, fault by fault [ARGS="--runs 2 --profile fast"]
	@$(RUN) holdfast_bench.failover $(ARGS)

.PHONY: bench-idle
bench-idle: setup ## CPU and memory of idle monitors with 1, 100 and 1,000 sites
	@$(RUN) holdfast_bench.idle $(ARGS)

.PHONY: bench-etcd
bench-etcd: setup ## how long an etcd that loses a member leaves renewals unanswered, beside how long a lease lasts
	@$(RUN) holdfast_bench.etcd

##@ Work on it

.PHONY: venv
venv: ## make or renew the virtual environment .venv (tests/requirements.txt)
	@.ci/venv
	@python tests/support/checkout.py

.PHONY: setup
setup: packages venv

.PHONY: packages
packages:
	@.ci/packages

.PHONY: format
format: venv ## rewrite the Python files in the project's format
	@ruff check --quiet --fix-only
	@ruff format

.PHONY: pins
pins: venv ## write the versions in .venv to tests/constraints.txt
	@{ sed -n '1,/^$$/p' tests/requirements.txt; \
	   printf '# Written by `make pins`: every version in .venv when requirements.txt last changed.\n\n'; \
	   pip freeze --disable-pip-version-check; } > .build/constraints.txt
	@mv .build/constraints.txt tests/constraints.txt

.PHONY: clean
clean: ## remove caches and copies; the virtual environment stays
	@rm -rf .build .mypy_cache .ruff_cache .pytest_cache .hypothesis .ansible tests/output

.PHONY: help
help: ## show this list
	@awk -v bold="$$(test -t 1 && tput bold 2>/dev/null || true)" -v plain="$$(test -t 1 && tput sgr0 2>/dev/null || true)" ' \
	  BEGIN { FS = ":.*## "; printf "\nHoldfast: IIS sites on clusters of Windows servers.\n" } \
	  /^##@/ { printf "\n%s%s%s\n", bold, substr($$0, 5), plain } \
	  /^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@printf '\n'
