# The commands of this project; `make` alone lists them.
.PHONY: help setup setup-test demo run test lint fix lock messages
.DEFAULT_GOAL := help
BIN := .venv/bin
PORT ?= 8000

help:  ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */	/' | column -t -s '	'

setup:
	@scripts/setup

setup-test:
	@scripts/setup test

demo: setup  ## install what is missing, run the main job with sample data, and keep serving (DEMO=exit: stop after it)
	@$(BIN)/python manage.py demo --port $(PORT) $(if $(filter exit,$(DEMO)),--exit)

run: setup  ## serve this folder's database and files: web server, workers, scheduler
	@$(BIN)/python manage.py serve --port $(PORT)

test: setup-test  ## run all tests
	$(BIN)/pytest -n 2 --dist worksteal -q
	ROSTRUM_TEST_DATABASE=sqlite $(BIN)/pytest -n 2 --dist worksteal -q tests/work tests/registration tests/notifications tests/transcripts/services/test_tracks.py

lint: setup-test  ## check style, types, the order of imports and the translations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy .
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python scripts/check_messages.py

fix: setup-test  ## put style right where a tool can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: setup-test  ## renew the pinned versions from requirements/*.in
	scripts/lock

messages: setup-test  ## collect the texts of the interface into locale/
	$(BIN)/python manage.py makemessages --all --no-wrap --add-location file -i .venv -i var -i frontend -i tests
