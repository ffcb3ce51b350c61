# Everything runs in .venv, which is created on demand. The machine needs Python 3.11 or newer, cargo, a C compiler, make,
# and a package index.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DIST ?= dist
FUZZ_SECONDS ?= 60
# Worker processes for the tests: one for each core.
PARALLEL := -n auto --dist worksteal
TOOLS := $(VENV)/.tools
BUILT := $(VENV)/.built
# The load of the server benchmark: a crate of its own, in no distribution.
LOAD := benches/server/load/Cargo.toml
# The program whose instructions are counted: likewise.
COUNTED := benches/instructions/Cargo.toml
RUST := $(shell find src -name '*.rs') Cargo.toml Cargo.lock pyproject.toml

# cargo and maturin build for the same interpreter, so neither undoes the other's work.
export PYO3_PYTHON := $(CURDIR)/$(BIN)/python
export VIRTUAL_ENV := $(CURDIR)/$(VENV)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help docs demo test test-fast test-peers test-interpreters soak lint format bench bench-against build wheels wheels-linux sdist fuzz test-pure container lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-17s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: build  ## stream three samples from the bundled mock server
	@$(BIN)/millstream demo

test: build  ## run every test, on both implementations
	cargo test --locked
	CARGO_TARGET_DIR=target/load cargo test --locked --manifest-path $(LOAD)
	MILLSTREAM_REQUIRE_NATIVE=1 $(BIN)/python -m pytest $(PARALLEL)

test-fast: build  ## run the quick tests, on both implementations, for the inner loop
	MILLSTREAM_HYPOTHESIS=quick $(BIN)/python -m pytest -q $(PARALLEL) -m "not slow and not packaging"

test-peers: build  ## run the checks that need another program: a C++ compiler, another interpreter
	$(BIN)/python packaging/peers.py

test-interpreters: $(TOOLS)  ## run the suite on other interpreters: PYTHONS="python3.12 python3.13"
	$(BIN)/python packaging/interpreters.py $(PYTHONS)

soak: build  ## stream for ten minutes each, with faults, through clients and through servers; check results, leaks and memory
	$(BIN)/python -m benches.soak
	$(BIN)/python -m benches.server.soak
	$(BIN)/python -m benches.soak.kills

lint: $(TOOLS)  ## check format, lints, imports and types
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked --all-targets --features python -- -D warnings
	cargo fmt --check --manifest-path $(LOAD)
	cargo fmt --check --manifest-path $(COUNTED)
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	CARGO_TARGET_DIR=target/load cargo clippy --locked --all-targets --manifest-path $(LOAD) -- -D warnings
	CARGO_TARGET_DIR=target/instructions cargo clippy --locked --manifest-path $(COUNTED) -- -D warnings
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	PYTHONPATH=python $(BIN)/lint-imports --no-cache
	$(BIN)/mypy

format: $(TOOLS)  ## format the code
	cargo fmt
	cargo fmt --manifest-path $(LOAD)
	cargo fmt --manifest-path $(COUNTED)
	cargo fmt --manifest-path fuzz/Cargo.toml
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: build  ## measure against the peers and the pure-Python half, in memory and over sockets
	$(BIN)/python -m benches
	$(BIN)/python -m benches.transport
	$(BIN)/python -m benches.server

bench-against: build  ## compare with another checkout that is built: make bench-against CHECKOUT=../before
	$(BIN)/python -m benches.against $(CHECKOUT)

docs: $(TOOLS)  ## build the documentation site into target/site
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

build: $(BUILT)  ## build the extension into .venv

wheels: $(TOOLS)  ## build the manylinux2014 wheel and the pure-Python one into dist/
	$(BIN)/python packaging/wheels.py --own $(DIST)
	$(BIN)/python packaging/pure_wheel.py $(DIST)

wheels-linux: $(TOOLS)  ## build the wheels of each CPython for Linux: glibc and musl, x86-64 and aarch64; WHEELS="--target …"
	$(BIN)/python packaging/wheels.py $(WHEELS) $(DIST)

sdist: $(TOOLS)  ## build the source distribution into dist/
	$(BIN)/maturin sdist --out $(DIST)

fuzz: $(TOOLS)  ## run each fuzz target for FUZZ_SECONDS (60), with the seeds of the vectors
	$(BIN)/python packaging/fuzz.py $(FUZZ_SECONDS)

test-pure: $(TOOLS)  ## run the tests without the Rust core, and without a Rust toolchain
	$(BIN)/python packaging/install_pure.py
	$(BIN)/python -m pytest $(PARALLEL) --no-native -m "not packaging"

container: wheels  ## collect in dist/container what the Containerfile installs, so that it needs no network
	rm -rf $(DIST)/container
	mkdir -p $(DIST)/container
	cp $(DIST)/millstream-*-cp*-manylinux*.whl $(DIST)/container
	$(BIN)/python -m pip download --quiet --only-binary :all: --dest $(DIST)/container "$$(ls $(DIST)/container/millstream-*.whl)[server]"

lock:  ## update requirements-dev.lock from the dev group in pyproject.toml
	$(PYTHON) -m venv --clear target/lock
	target/lock/bin/python -m pip install --quiet --upgrade pip
	target/lock/bin/python -m pip install --quiet --group dev \
		$$($(PYTHON) -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"])')
	target/lock/bin/python -m pip freeze --all --exclude setuptools >requirements-dev.lock

clean:  ## remove build artifacts
	rm -rf $(VENV) dist target $(filter-out %.pyi,$(wildcard python/millstream/_core.*))

$(TOOLS): requirements-dev.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Millstream needs Python 3.11 or newer: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-dev.lock
	@touch $@

$(BUILT): $(TOOLS) $(RUST)
	PIP_QUIET=1 PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/maturin develop --release --locked
	@touch $@
