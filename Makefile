# Each target does all of its own set-up. The steps are in scripts/.

.DEFAULT_GOAL := help
.PHONY: help demo test lint build bench clean distclean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: ## Build both architectures, deploy them on this machine, call and compare them
	scripts/setup.sh build stack
	scripts/build.sh
	scripts/with-stack.sh scripts/demo.sh

test: ## Run every check, including the end-to-end test
	scripts/setup.sh build stack lint
	scripts/test.sh

lint: ## Check formats and styles
	scripts/setup.sh build lint
	scripts/lint.sh

build: ## Build both architectures into .aws-sam/build
	scripts/setup.sh build
	scripts/build.sh

bench: ## Measure how fast the function starts, beside a bare one
	scripts/setup.sh build
	scripts/bench.sh

clean: ## Remove what was built
	rm -rf target .aws-sam

distclean: clean ## Remove what was built and the tools in .tools
	rm -rf .tools
