# All tests. Each part can be run alone; `make test` runs them one after the other.

TEST_PACKAGES := zlib1g-dev libisal-dev $(TLS_PACKAGES) $(REDIS_PACKAGES) $(REDIS_TEST_PACKAGES) gcc libc6-dev pkg-config \
	libcmocka-dev python3 python3-venv curl nodejs node-ws \
	golang-go golang-github-gorilla-websocket-dev golang-nhooyr-websocket-dev libwebsockets-dev libwebsockets-test-server \
	valgrind openssl nginx haproxy prometheus faketime
# For the tests of pages in browsers, of the core with another C library, of systemd's units, and of a container's
# image: each says that it was skipped where there is no such package.
OPTIONAL_PACKAGES := chromium-headless-shell firefox-esr musl-tools systemd buildah
LINT_PACKAGES := clang-format
# 3.11 or later.
PYTHON3 ?= python3
VENV := $(BUILD)/venv
PYTHON := $(VENV)/bin/python

include Scripts/clients.mk

.PHONY: test
test: swift-toolchain test-packages
	@$(MAKE) test-c
	@$(MAKE) test-rooms
	@$(MAKE) test-kqueue
	@$(MAKE) test-platforms
	@$(MAKE) test-driver
	@$(MAKE) test-differential
	@$(MAKE) test-fuzz
	@$(MAKE) other-deflate
	@$(MAKE) test-instructions
	@$(MAKE) test-swift
	@$(MAKE) test-hummingbird
	@$(MAKE) docs
	@$(MAKE) test-bench
	@$(MAKE) test-integration
	@$(MAKE) test-integration-sanitized

.PHONY: test-packages
test-packages:
	@Scripts/install-packages $(TEST_PACKAGES)
	@for package in $(OPTIONAL_PACKAGES); do \
		Scripts/install-packages $$package || echo "without $$package: the tests that need it are skipped"; done

$(VENV)/.installed: Tests/requirements.txt
	$(PYTHON3) -m venv $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --requirement Tests/requirements.txt
	@touch $@

# Every C unit test with sanitizers, and built by gcc; tests with threads also with ThreadSanitizer. Two are built, and
# run, at a time. Programs that no later test builds are built, so that they stay without warnings and can be debugged.
.PHONY: test-c
test-c:
	@$(MAKE) -j2 c-unit-tests-sanitized
	@$(MAKE) -j2 c-unit-tests-gcc
	@$(MAKE) -j2 c-unit-tests-tsan
	@$(MAKE) -j2 c-programs-gcc c-programs-tsan

# Ten thousand plays of clients that come back to topics with history; the tests play a hundred. $(1) build, $(2) seeds
resuming_plays = JAZZY_RESUMING_SEEDS=$(2) $(BUILD)/$(1)/test_resuming_plays
# The same with a broker that keeps the topic for several servers; the tests play forty.
shared_plays = JAZZY_SHARED_SEEDS=$(2) $(BUILD)/$(1)/test_shared_history_plays
.PHONY: nightly-resuming
nightly-resuming: $(foreach build,release sanitized tsan, \
		$(BUILD)/$(build)/test_resuming_plays $(BUILD)/$(build)/test_shared_history_plays)
	$(call resuming_plays,release,1-8000)
	$(call resuming_plays,sanitized,8001-9000)
	$(call resuming_plays,tsan,9001-10000)
	$(call shared_plays,release,1-8000)
	$(call shared_plays,sanitized,8001-9000)
	$(call shared_plays,tsan,9001-10000)

# That no room of the C libraries uses one above it, and that what looks for it finds it.
.PHONY: test-rooms
test-rooms: $(BUILD)/gcc/libcjazzypoll.a $(BUILD)/gcc/libcjazzytls.a $(BUILD)/gcc/libcjazzyredis.a
	python3 -m unittest discover --quiet --start-directory Tests/Rooms
	Scripts/rooms.py --objects $(BUILD)/gcc

# The inputs that are known, and a short look for new ones.
.PHONY: test-fuzz
test-fuzz:
	@$(MAKE) fuzz-regressions
	@$(MAKE) fuzz SECONDS=5

# The same byte streams through our session and through two other implementations.
.PHONY: test-differential
test-differential: $(VENV)/.installed $(BUILD)/sanitized/session-driver
	JAZZY_C_BUILD=$(BUILD)/sanitized $(PYTHON) -m pytest -q Tests/Differential

.PHONY: test-swift
test-swift:
	$(call swift_libraries,--build-tests)
	JAZZY_STRICT=1 swift test --skip-build --traits $(SWIFT_TRAITS)

# The products of the server ecosystem in one process with Hummingbird. Nothing else builds what that needs.
.PHONY: test-hummingbird
test-hummingbird: swift-toolchain $(VENV)/.installed
	JAZZY_STRICT=1 swift build $(call swift_package,Examples/HummingbirdChat,$(HUMMINGBIRD_BUILD))
	JAZZY_HUMMINGBIRD_BUILD=$(HUMMINGBIRD_BUILD)/debug $(PYTHON) -m pytest -q Tests/Integration/test_hummingbird.py

# Two files of tests at a time: nothing in them depends on being alone on the machine.
INTEGRATION := -m pytest -q --numprocesses 2 --dist loadfile --no-loadscope-reorder Tests/Integration

# Real clients against what users run: release builds.
.PHONY: test-integration
test-integration: $(VENV)/.installed clients
	@$(MAKE) -j2 c-programs-release library
	@$(MAKE) swift-programs
	JAZZY_C_BUILD=$(BUILD)/release JAZZY_SWIFT_BUILD=.build/release $(PYTHON) $(INTEGRATION)

# The same against debug builds under AddressSanitizer and UndefinedBehaviorSanitizer.
.PHONY: test-integration-sanitized
test-integration-sanitized: $(VENV)/.installed clients
	@$(MAKE) -j2 c-programs-sanitized
	$(call swift_programs,.build-sanitized,--sanitize=address -Xcc -fsanitize=undefined)
	JAZZY_C_BUILD=$(BUILD)/sanitized JAZZY_SWIFT_BUILD=.build-sanitized/debug $(PYTHON) $(INTEGRATION)

.PHONY: lint
lint: swift-toolchain
	@Scripts/install-packages $(LINT_PACKAGES)
	swift format lint --strict --recursive Package.swift Sources Tests Examples Benchmarks
	Scripts/check-core-imports
	Scripts/rooms.py
	git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror

.PHONY: format
format: swift-toolchain
	@Scripts/install-packages $(LINT_PACKAGES)
	swift format --in-place --recursive Package.swift Sources Tests Examples Benchmarks
	git ls-files '*.c' '*.h' | xargs clang-format -i
