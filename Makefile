# make demo   installs into .venv, boots a YARN + HDFS cluster on this machine, submits the MNIST job, shows the result
# make test   all tests: lint, types, units, the real cluster
# make chaos  the MNIST job again and again on a cluster that is struck at random: make chaos SEED=1 MINUTES=10
# make fuzz   whatever arrives from outside, with so many examples of each: make fuzz EXAMPLES=3000
# make snapshots  writes tests/snapshots anew, after a change of help or errors: look at what git says of them
# make down   ends a cluster that `make demo KEEP=1` left up
# make wheel  builds the wheel that edge nodes and nodes install

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OVERLAY := yarn_overlay/treadle-yarn-overlay.jar
INSTALLED := $(VENV)/.installed
EXTRAS ?= dataset,test
KEEP ?=
SEED ?= 1
MINUTES ?= 10
EXAMPLES ?= 3000

.PHONY: demo test check chaos fuzz snapshots down wheel clean tools

demo: $(INSTALLED) $(OVERLAY)
	@$(BIN)/python -m examples.mnist.demo $(if $(KEEP),--keep)

test: check
	$(BIN)/python -m pytest

check: $(INSTALLED) $(OVERLAY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

chaos: $(INSTALLED) $(OVERLAY)
	@PYTHONPATH=tests $(BIN)/python -m chaos --seed $(SEED) --minutes $(MINUTES)

fuzz: $(INSTALLED)
	TREADLE_FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest -q --durations=0 tests/test_fuzz_*.py

snapshots: $(INSTALLED)
	TREADLE_REWRITE_SNAPSHOTS=1 $(BIN)/python -m pytest -q tests/test_client_snapshots.py

down: $(INSTALLED)
	$(BIN)/python -m minicluster down

wheel: $(INSTALLED) $(OVERLAY)
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .

# Said in our words, before pip has run for a minute or Maven says it in its own.
define need
command -v $(1) >/dev/null || { echo "error: no $(1) found on PATH"; echo "remedy: $(2)"; exit 5; } >&2
endef

tools:
	@$(call need,$(PYTHON),install Python 3.10 or later or name one: make PYTHON=/path/to/python3)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	    { echo "error: $(PYTHON) is older than Python 3.10"; echo "remedy: name a later one: make PYTHON=/path/to/python3"; exit 5; } >&2
	@[ -n "$$JAVA_HOME" ] || $(call need,javac,install a JDK 17 (Debian: openjdk-17-jdk-headless) or set JAVA_HOME)
	@$(call need,mvn,install Maven 3.6 or later (Debian: maven))

$(INSTALLED): setup.cfg pyproject.toml | tools
	@echo "Installing Treadle into $(VENV)" >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --editable '.[$(EXTRAS)]'
	@touch $@

$(OVERLAY): $(shell find yarn_overlay -name '*.java' -path '*main*' 2>/dev/null) yarn_overlay/pom.xml | tools
	@echo "Building the YARN overlay" >&2
	@mkdir -p yarn_overlay/target
	@mvn -q -B -f yarn_overlay/pom.xml package >yarn_overlay/target/maven.log 2>&1 || \
	    { echo "error: Maven could not build the YARN overlay: $$(grep -m1 ERROR yarn_overlay/target/maven.log | cut -c1-300)"; \
	      echo "remedy: if an artifact could not be had, check the network or the mirror in ~/.m2/settings.xml; all it said: yarn_overlay/target/maven.log"; exit 5; } >&2
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info yarn_overlay/target $(OVERLAY)
