# Each target does all of its own set-up. The steps are in scripts/.

.DEFAULT_GOAL := help
.PHONY: help demo test lint build sam-local equal-work deadlines fuzz bench clean distclean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Build both architectures, deploy them on this machine, call and compare them
	scripts/setup.sh build stack
	scripts/build.sh
	scripts/with-stack.sh scripts/demo.sh

test: ## Run every check, including the end-to-end test
	scripts/setup.sh
	scripts/test.sh

lint: ## Check formats and styles
	scripts/setup.sh build lint
	scripts/lint.sh

build: ## Build both architectures; with PROFILE=portable for any CPU of each
	scripts/setup.sh build
	scripts/build.sh $(PROFILE)

sam-local: ## Call both functions in local containers, by each way of `sam local`
	scripts/setup.sh build stack containers
	scripts/build.sh
	scripts/with-containers.sh scripts/sam-local.sh

equal-work: ## Check medium and large sizes with 20 seeds on both architectures (an hour or two)
	scripts/setup.sh build stack
	scripts/build.sh
	cargo test --all-features --test suite -- --ignored golden

deadlines: ## Check that every workload keeps every deadline, at large and at its largest (half an hour)
	scripts/setup.sh build stack
	scripts/build.sh
	cargo test --all-features --test suite -- --ignored limits

fuzz: ## Look for events that break the service; FUZZ_SECONDS=600 sets for how long
	scripts/setup.sh build fuzz
	scripts/fuzz.sh $(FUZZ_SECONDS)

bench: ## Measure the project itself: all benchmarks, or with BENCH=fidelity one
	scripts/setup.sh build
	scripts/bench.sh $(BENCH)

clean: ## Remove what was built
	rm -rf target .aws-sam

distclean: clean ## Remove what was built and the tools in .tools
	rm -rf .tools
