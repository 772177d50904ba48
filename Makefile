# make demo   installs into .venv, boots a YARN + HDFS cluster on this machine, submits the MNIST job, shows the result
# make test   all tests: lint, types, units, the real cluster
# make down   ends a cluster that `make demo KEEP=1` left up

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OVERLAY := yarn_overlay/treadle-yarn-overlay.jar
INSTALLED := $(VENV)/.installed
KEEP ?=

.PHONY: demo test check down wheel clean

demo: $(INSTALLED) $(OVERLAY)
	@$(BIN)/python -m examples.mnist.demo $(if $(KEEP),--keep)

test: check
	$(BIN)/python -m pytest

check: $(INSTALLED) $(OVERLAY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

down: $(INSTALLED)
	$(BIN)/python -m minicluster down

wheel: $(INSTALLED) $(OVERLAY)
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .

$(INSTALLED): setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	    { echo "cause:  $(PYTHON) is older than Python 3.10"; echo "remedy: make PYTHON=/path/to/python3.10 (or later)"; exit 5; } >&2
	@echo "Installing Treadle into $(VENV)" >&2
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --editable '.[dataset,test]'
	@touch $@

# A missing JDK or Maven is said in our words, before Maven's.
$(OVERLAY): $(shell find yarn_overlay -name '*.java' -path '*main*' 2>/dev/null) yarn_overlay/pom.xml
	@command -v java >/dev/null || [ -n "$$JAVA_HOME" ] || \
	    { echo "cause:  no Java found (JAVA_HOME is unset, no java on PATH)"; echo "remedy: install a JDK 17, for example Debian's openjdk-17-jdk-headless"; exit 5; } >&2
	@command -v mvn >/dev/null || \
	    { echo "cause:  no Maven found (no mvn on PATH)"; echo "remedy: install Maven 3.6 or later, for example Debian's package maven"; exit 5; } >&2
	@echo "Building the YARN overlay" >&2
	@mvn -q -f yarn_overlay/pom.xml package || \
	    { echo "cause:  Maven could not build yarn_overlay (its own message is above)"; echo "remedy: if it could not resolve an artifact, check the network or the mirror in ~/.m2/settings.xml"; exit 5; } >&2
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info yarn_overlay/target $(OVERLAY)
