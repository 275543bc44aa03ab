# What a developer types most. `make` alone lists it.

.DEFAULT_GOAL := help
.PHONY: help run test race ci lint fmt bench mongo browser docker

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## start the demo on http://127.0.0.1:8080, its data in ./demo
	go run . demo --dir demo

test: ## run the tests that need nothing but Go
	go test ./...

race: ## run them under the race detector
	go test -race ./...

ci: ## run everything that must hold before a change lands
	.ci/run

lint: ## vet, format check and golangci-lint
	.ci/run format vet lint

fmt: ## format the Go files
	gofmt -w $$(git ls-files '*.go')

bench: ## run every benchmark, for a second each
	go test -run '^$$' -bench . -benchmem ./...

mongo: ## run the MongoDB tests on the stand-in server
	.ci/run mongodb

browser: ## run the browser tests in headless Chromium
	.ci/run browser

docker: ## run the Dockerfile's steps and check docker-compose.yml, without an engine
	.ci/run container
