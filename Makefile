# Everything a newcomer needs. `make help` prints the targets.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO      ?= go
BIN     := bin/holdfast
VULNDB  ?= ../shared/data/vulndb.tar.xz
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# Packages are tested two at a time: each starts its own databases on one server.
TESTFLAGS ?=

.PHONY: help run demo test lint legacy-acceptance bench verify build vuln tools deps race

help: ## print this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-17s %s\n", $$1, $$2}'

deps: ## install what the machine misses (PostgreSQL binaries)
	@./scripts/deps

build: ## build bin/holdfast
	$(GO) build -trimpath -ldflags "-X main.version=$(VERSION)" -o $(BIN) ./cmd/holdfast

bin/devmongo: $(wildcard tools/devmongo/*)
	$(GO) build -C tools/devmongo -trimpath -o ../../bin/devmongo .

run: deps build bin/devmongo ## bring up the service with nothing to configure
	$(BIN) serve

demo: build ## walk two orders through a running service, over HTTP
	$(BIN) demo

test: deps ## run every test on a private PostgreSQL
	@./scripts/deps chromium
	$(GO) run ./cmd/withpg -- $(GO) test $(TESTFLAGS) ./...

race: deps ## the same with the race detector
	@./scripts/deps chromium
	$(GO) run ./cmd/withpg -- $(GO) test -race -short ./...

legacy-acceptance: deps ## a database of the old backend of full size goes the whole way: import, report, verify, rebuild
	HOLDFAST_LEGACY_ACCEPTANCE=$${HOLDFAST_LEGACY_ACCEPTANCE:-1000} $(GO) run ./cmd/withpg -- $(GO) test ./cmd/internal/wire -run TestTheWholeWay -v -timeout 2h

bench: deps build ## print the figures of docs/bench.md, all sides in one run
	$(GO) run ./cmd/bench

lint: ## golangci-lint, pinned in tools/go.mod
	$(GO) build -C tools -o ../bin/golangci-lint github.com/golangci/golangci-lint/v2/cmd/golangci-lint
	bin/golangci-lint run ./...

vuln: ## govulncheck against the offline database
	$(GO) build -C tools -o ../bin/govulncheck golang.org/x/vuln/cmd/govulncheck
	@./scripts/vuln $(VULNDB)

verify: build ## regenerate docs and goldens; fail on a difference
	$(BIN) docs --out docs
	@git diff --exit-code -- docs || { echo "docs were out of date: commit the difference"; exit 1; }
