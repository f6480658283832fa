# Each target does all of its own set-up. The steps are in scripts/.

.DEFAULT_GOAL := help
.PHONY: help demo check test nightly lint build sam-local wheel equal-work deadlines calibrate fuzz bench bench-short timings clean distclean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Build both architectures quickly, deploy them on this machine, call and compare them
	scripts/setup.sh build stack
	scripts/build-for-demo.sh
	DUET=target/lambda/duet/bootstrap DUET_BUILD=.aws-sam/quick scripts/with-stack.sh scripts/demo.sh

check: ## Run the checks that take minutes: Rust formats and lints, the tests that need this architecture alone
	scripts/setup.sh check
	scripts/check.sh

test: ## Run every check that a change has to pass, including the end-to-end test
	scripts/setup.sh
	scripts/test.sh

nightly: ## Run all of what make test takes samples of, and every benchmark in short (hours)
	$(MAKE) build PROFILE=portable
	$(MAKE) test DUET_SAMPLE=all
	$(MAKE) lint SCOPE=rivals
	$(MAKE) demo
	$(MAKE) wheel ROOT=1
	$(MAKE) bench-short
	$(MAKE) bench BENCH=identical CAMPAIGNS=20
	$(MAKE) deadlines
	$(MAKE) calibrate
	$(MAKE) fuzz FUZZ_SECONDS=1800
	$(MAKE) equal-work

lint: ## Check formats and styles; with SCOPE=rivals also of the package benches/rivals
	scripts/setup.sh build lint
	scripts/lint.sh $(SCOPE)

build: ## Build both architectures; with PROFILE=portable for any CPU of each, PROFILE=quick to look at
	scripts/setup.sh build
	scripts/build.sh $(PROFILE)

sam-local: ## Call both functions in local containers, by each way of `sam local`
	scripts/setup.sh build stack containers
	scripts/build.sh
	scripts/with-containers.sh scripts/sam-local.sh

wheel: ## Build the wheel for this machine, and use it in a fresh environment; with ROOT=1 also in a fresh system (10 minutes)
	scripts/setup.sh build release
	scripts/build.sh
	scripts/wheel.sh $(if $(ROOT),root)

equal-work: ## Check all sizes and portable builds with 20 seeds on both architectures (an hour or two)
	scripts/setup.sh build stack
	scripts/build.sh
	scripts/build.sh portable
	DUET_SAMPLE=all cargo test --all-features --test suite -- --include-ignored golden

deadlines: ## Check that every workload keeps every deadline, at large and at its largest (half an hour)
	scripts/setup.sh build stack
	scripts/build.sh
	DUET_SAMPLE=all cargo test --all-features --test suite -- --include-ignored limits

calibrate: ## Simulate how often reports err, fleet by fleet, 2000 campaigns each
	cargo run --release --bin duet -- calibrate --runs 2000

fuzz: ## Look for events that break the service; FUZZ_SECONDS=600 sets for how long
	scripts/setup.sh build fuzz
	scripts/fuzz.sh $(FUZZ_SECONDS)

bench: ## Measure the project itself: all benchmarks, or with BENCH=fidelity one
	scripts/setup.sh build
	scripts/bench.sh $(BENCH)

bench-short: ## Run each benchmark for seconds, to see that it works
	scripts/setup.sh build
	scripts/bench.sh short $(BENCH)

timings: ## Print what takes how long in CI and in make test (half an hour)
	scripts/timings.sh

clean: ## Remove what was built
	rm -rf target .aws-sam

distclean: clean ## Remove what was built and the tools in .tools
	rm -rf .tools
