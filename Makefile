# docker imgmgr. Each target is one recipe; `make` alone lists them.

GO             ?= go
DOCKER_CONFIG  ?= $(HOME)/.docker
FRONTEND_IMAGE ?= imgmgr/imgmgr-frontend:dev
PLATFORMS      ?= linux/amd64,linux/arm64

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: try
try: ## See it work on a real project, with a BuildKit and a registry of its own
	@$(GO) run ./integration/try

.PHONY: test
# With the flags of the frontend's binaries, so that what all need is compiled once.
test: export CGO_ENABLED = 0
test: export GOFLAGS += -trimpath
test: ## Run every test, against real BuildKit, Docker Engine and registry
	$(GO) vet ./...
	$(GO) test -vet=off -timeout 80m ./...

.PHONY: proof
proof: ## Build the projects of the oracle, or those that PROJECTS matches, and write docs/proof.md
	$(GO) test -timeout 40m ./integration -run '^TestProjectsStayTheSame$$/^project$$/$(PROJECTS)' -proof $(CURDIR)/docs/proof.md

.PHONY: build
build: ## Build the plugin into bin/
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w' -o bin/docker-imgmgr ./cmd/docker-imgmgr

.PHONY: install
install: build ## Install the plugin for this user: docker imgmgr
	install -D -m 0755 bin/docker-imgmgr $(DOCKER_CONFIG)/cli-plugins/docker-imgmgr

.PHONY: frontend-image
frontend-image: ## Build the frontend's image for PLATFORMS and push it as FRONTEND_IMAGE
	docker buildx build --platform $(PLATFORMS) --tag $(FRONTEND_IMAGE) --push .

.PHONY: bench
bench: ## Measure the linter beside BuildKit's checks, and run the benchmarks
	@$(GO) run ./integration/bench/lint
	$(GO) test -run '^$$' -bench . -benchmem ./lint/... ./frontend/...

.PHONY: bench-rebuild
bench-rebuild: ## Measure rebuilds against an expert's Dockerfiles (PROJECTS=a,b RUNS=3)
	@$(GO) run ./integration/bench -projects "$(PROJECTS)" -runs "$(or $(RUNS),3)"

.PHONY: bench-analyze
bench-analyze: ## Measure analyze on made images, and against dive where it is installed (ONLY=huge RUNS=1 for one of 10 GB)
	@$(GO) run ./integration/bench/analyze -dir .cache/bench -dive "$$(command -v dive)" -only "$(ONLY)" -runs "$(or $(RUNS),3)"

.PHONY: bench-prune
bench-prune: ## Measure prune on 10,000 tags of a registry, a million of a file, 2,000 local images
	@$(GO) run ./integration/bench/prune

.PHONY: upstream-suite
upstream-suite: ## Run BuildKit's own Dockerfile tests against the frontend (15 min)
	@$(GO) run ./integration/upstream

.PHONY: docs
docs: ## Write docs/ anew from the rules and the command tree
	$(GO) run ./docs/gen

.PHONY: clean
clean: ## Remove what the other targets made, built tools and seeded images too
	rm -rf bin .cache
