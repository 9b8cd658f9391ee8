# Plain commands; `make help` lists them. CI runs .ci/run, which calls these.
GOBIN      := $(CURDIR)/.bin
GOLANGCI   := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12
ACT        := github.com/nektos/act@v0.2.89
GORELEASER := github.com/goreleaser/goreleaser/v2@v2.15.4
CYCLONEDX  := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
COSIGN     := github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3
FUZZTIME   := 20s

.PHONY: help test lint e2e story stories golden fuzz bench build snapshot release image tools check

help: ## list the targets
	@grep -E '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

check: test lint golden ## what to run before a push

test: ## all tests that need only Go and git
	go test ./...

lint: tools ## gofmt, vet, golangci-lint, actionlint
	test -z "$$(gofmt -l .)"
	go vet ./...
	go vet -tags e2e ./e2e
	$(GOBIN)/golangci-lint run ./...
	$(GOBIN)/actionlint

e2e: ## real nginx, real Prometheus, real load (Debian: nginx-light prometheus victoria-metrics)
	go test -tags e2e -count=1 -v -timeout 15m ./e2e

story: ## a shop's canary, live: broken, judged, reverted, promoted (Debian: nginx-light postgresql prometheus)
	cd examples/storedog && go run ./story && go run ./story ramp

stories: ## the same, blue/green, a feature flag and a rolling deployment, after the shop's tests
	./.ci/storedog

golden: ## rewrite golden files, schemas and generated documentation
	go run ./cmd/canary-judge schema > schemas/canary.schema.json
	go run ./cmd/canary-judge schema result > schemas/result.schema.json
	go test ./cmd/canary-judge ./cmd/canary-judge/internal/report ./cmd/canary-judge/internal/notify -run 'Golden|README|Messages' -update

fuzz: ## every fuzz target for $(FUZZTIME)
	./.ci/fuzz $(FUZZTIME)

bench: ## benchmarks
	go test -run xxx -bench . -benchmem ./...

build: ## a static binary in ./dist
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w' -o dist/canary-judge ./cmd/canary-judge

snapshot: $(GOBIN)/goreleaser $(GOBIN)/cyclonedx-gomod ## what a release is made of, in ./dist, but for images and signatures
	PATH=$(GOBIN):$$PATH $(GOBIN)/goreleaser release --snapshot --clean --skip=docker,sign

release: $(GOBIN)/goreleaser $(GOBIN)/cyclonedx-gomod $(GOBIN)/cosign
	PATH=$(GOBIN):$$PATH $(GOBIN)/goreleaser release --clean

image: ## both container images
	docker build -t canary-judge .
	docker build -t canary-judge:slim --target slim .

tools: $(GOBIN)/golangci-lint $(GOBIN)/actionlint

$(GOBIN)/golangci-lint:
	GOBIN=$(GOBIN) go install $(GOLANGCI)

$(GOBIN)/actionlint:
	GOBIN=$(GOBIN) go install $(ACTIONLINT)

$(GOBIN)/goreleaser:
	GOBIN=$(GOBIN) go install $(GORELEASER)

$(GOBIN)/cyclonedx-gomod:
	GOBIN=$(GOBIN) go install $(CYCLONEDX)

$(GOBIN)/cosign:
	GOBIN=$(GOBIN) go install $(COSIGN)

.bin/act:
	GOBIN=$(GOBIN) go install $(ACT)
