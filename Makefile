# make run    the demonstration, on http://127.0.0.1:8080
# make test   every test that needs no system package
PYTHON ?= python3
BIN := .venv/bin

.PHONY: run test test-system test-containers setup check generate lock clean

run: setup
	@$(BIN)/wnis up --demo

setup:
	@$(PYTHON) scripts/setup.py

test:
	@$(PYTHON) scripts/setup.py --dev
	@$(MAKE) --no-print-directory check
	@echo "Left out: tests marked browser (Debian's chromium), system (redis-server, postgresql, nginx, prometheus,"
	@echo "prometheus-alertmanager, libfaketime, rclone 1.65 or newer, Neo4j 2026 from Maven) and containers (buildah, podman)."
	@echo "Install those packages and run 'make test-system' and 'make test-containers' for them."
	@$(BIN)/python -m pytest -m "not browser and not system and not containers"

# what 'make test' leaves out
test-system:
	@$(PYTHON) scripts/setup.py --dev
	@$(BIN)/python -m pytest -m "browser or system"

# the images and docker-compose.yml, for real
test-containers:
	@$(PYTHON) scripts/setup.py --dev
	@bash tests/containers/run.sh

# style, types, import rules, drift of generated files
check:
	@$(BIN)/python scripts/check.py

# write the generated files anew
generate:
	@$(BIN)/python scripts/check.py --write

lock:
	@bash scripts/lock.sh

clean:
	rm -rf .venv web-interface/node_modules web-interface/dist
