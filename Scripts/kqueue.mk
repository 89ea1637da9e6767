# The library as on macOS and FreeBSD, as far as its poll goes: loop/kqueue.c over the kqueue of Tests/Shims/kqueue. That
# shim's tests, and those of the library, in builds of their own: kqueue (with the sanitizers) and kqueue-tsan.

KQUEUE_SHIM := $(wildcard Tests/Shims/kqueue/*.c)
KQUEUE_SHIM_TESTS := $(wildcard Tests/Shims/kqueue/tests/test_*.c)
KQUEUE_FLAGS := -DJZ_POLL_BY_KQUEUE=1 -ITests/Shims/kqueue
# Of the unit tests, those of the poll, and of servers whose descriptors do more than being ready.
KQUEUE_TESTS := $(filter $(addprefix %/test_,$(addsuffix .c,poll poll_changes poll_readiness poll_storm links \
	adopting_bells forked_child hand_over local_peers lost_descriptors slow_receivers stopping watch)),$(C_UNIT_TESTS))
KQUEUE_TSAN_TESTS := $(filter %/test_poll.c %/test_poll_storm.c %/test_stopping.c,$(C_UNIT_TESTS))
# Of the integration tests, those with servers in C, some of them with the same in Swift; test-kqueue runs a few of them.
KQUEUE_INTEGRATION := $(addprefix Tests/Integration/test_,$(addsuffix .py,attacks_from_within attacks_on_frames \
	attacks_on_handshakes attacks_on_limits attacks_on_rates attacks_on_resources bridge conformance_over_tcp \
	descriptors events half_open_peers handshake pages protocol_errors reentrance slow_readers slow_takers \
	start_up_errors stopping ten_thousand threads tls_certificates tls_clients tls_half_open tls_hostile_handshakes \
	tls_hostile_records tls_offers tls_ports tls_reload tls_resumption))
# And those with programs in Swift, as far as they do not compile them.
KQUEUE_SWIFT_INTEGRATION := $(addprefix Tests/Integration/test_,$(addsuffix .py,chat_page clients cluster \
	example_dashboard example_game example_rooms example_secure examples extension_offers made_pages_and_files \
	memory_comes_back metrics real_clients))
KQUEUE_INTEGRATION_SHORT := $(filter $(addprefix %/test_,$(addsuffix .py,events half_open_peers slow_readers stopping \
	tls_ports)),$(KQUEUE_INTEGRATION))

# What a program is linked with besides: the shim is in the library.
KQUEUE_LIBRARIES := $(call wraps,$(KQUEUE_SHIM))

# $(1) build, $(2) compiler, $(3) its flags, $(4) sources of unit tests, $(5) more libraries for all programs, $(6) those
# of the unit tests that kqueue-tests-$(1) runs
define kqueue_build
$(call c_build,$(1),$(2),$(3),$(4),$(5))
$(BUILD)/$(1)/libcjazzypoll.a: $(KQUEUE_SHIM:%.c=$(BUILD)/$(1)/%.o)
$(BUILD)/$(1)/Tests/Shims/kqueue/tests/%.o: C_FLAGS += -ITests/CJazzyPollTests
$(BUILD)/$(1)/test_kevent_%: $(BUILD)/$(1)/Tests/Shims/kqueue/tests/test_kevent_%.o $(BUILD)/$(1)/libcjazzypoll.a
	$(2) $(3) $$^ -lcmocka $$(C_LIBRARIES) $(5) -o $$@
.PHONY: kqueue-tests-$(1)
kqueue-tests-$(1): $(call c_test_programs,$(1),$(KQUEUE_SHIM_TESTS) $(6))
	@Scripts/run-tests $$^
c-unit-tests-$(1): $(call c_test_programs,$(1),$(KQUEUE_SHIM_TESTS))
endef

$(eval $(call kqueue_build,kqueue,$(CLANG),$(SANITIZED_FLAGS) $(KQUEUE_FLAGS),$(C_UNIT_TESTS),$(KQUEUE_LIBRARIES), \
	$(KQUEUE_TESTS)))
$(eval $(call kqueue_build,kqueue-tsan,$(CLANG),$(TSAN_FLAGS) $(KQUEUE_FLAGS),$(KQUEUE_TSAN_TESTS),$(KQUEUE_LIBRARIES) \
	$(TSAN_LIBRARIES),$(KQUEUE_TSAN_TESTS)))
$(eval $(call tls_build,kqueue,$(CLANG),$(SANITIZED_FLAGS) $(KQUEUE_FLAGS),$(TLS_UNIT_TESTS),$(KQUEUE_LIBRARIES)))
$(eval $(call c_conformance,kqueue,$(CLANG),$(SANITIZED_FLAGS) $(KQUEUE_FLAGS)))

# The driver of whole servers with faults, as in driver.mk.
KQUEUE_DRIVER := $(filter-out %/wrapped_epoll.c,$(DRIVER_FILES))
define kqueue_driver
$(BUILD)/$(1)/driver: $(KQUEUE_DRIVER:%.c=$(BUILD)/$(1)/%.o) $(DRIVER_SUPPORT:%.c=$(BUILD)/$(1)/%.o) \
		$(BUILD)/$(1)/libcjazzypoll.a
	$(2) $(3) $$^ $(call wraps,$(KQUEUE_DRIVER)) $$(C_LIBRARIES) $(4) -o $$@
endef
$(eval $(call kqueue_driver,kqueue,$(CLANG),$(SANITIZED_FLAGS),$(KQUEUE_LIBRARIES)))
$(eval $(call kqueue_driver,kqueue-tsan,$(CLANG),$(TSAN_FLAGS),$(KQUEUE_LIBRARIES) $(TSAN_LIBRARIES)))

# The programs in Swift with it, as debug builds. SwiftPM does not see that a library of somebody else's is new.
KQUEUE_SWIFT := .build-kqueue
KQUEUE_SWIFT_SHIM := $(abspath $(BUILD))/kqueue-swift/libkqueue.a
KQUEUE_SWIFT_FLAGS := $(addprefix -Xcc ,-DJZ_POLL_BY_KQUEUE=1 -I$(abspath Tests/Shims/kqueue)) $(addprefix -Xlinker , \
	--whole-archive $(KQUEUE_SWIFT_SHIM) --no-whole-archive --wrap=close --wrap=shutdown)
$(BUILD)/kqueue-swift/%.o: %.c
	@mkdir -p $(@D)
	$(CLANG) $(C_FLAGS) $(KQUEUE_FLAGS) -O2 -g -fPIC -c $< -o $@
$(KQUEUE_SWIFT_SHIM): $(KQUEUE_SHIM:%.c=$(BUILD)/kqueue-swift/%.o)
	rm -rf $@ $(KQUEUE_SWIFT)
	$(AR) rcs $@ $^
.PHONY: swift-programs-kqueue
swift-programs-kqueue: $(KQUEUE_SWIFT_SHIM)
	$(call swift_programs,$(KQUEUE_SWIFT),$(KQUEUE_SWIFT_FLAGS))
	@nm $(KQUEUE_SWIFT)/debug/bench-echo-swift | grep -q ' T kevent$$' || \
		{ echo "the programs in Swift were built without the kqueue of Tests/Shims" >&2; exit 1; }

# A selection that takes few minutes.
.PHONY: test-kqueue
test-kqueue: $(VENV)/.installed
	@$(MAKE) -j2 kqueue-tests-kqueue
	@$(MAKE) -j2 kqueue-tests-kqueue-tsan
	@$(MAKE) -j2 c-programs-kqueue $(BUILD)/kqueue/driver
	$(BUILD)/kqueue/driver 10
	JAZZY_C_BUILD=$(BUILD)/kqueue $(PYTHON) -m pytest -q -k "not swift" $(KQUEUE_INTEGRATION_SHORT)

# Every unit test of the core and of TLS, the driver as long as test-driver, and every integration test with a server in
# C or in Swift.
.PHONY: whole-kqueue
whole-kqueue: swift-toolchain $(VENV)/.installed clients
	@$(MAKE) -j2 c-unit-tests-kqueue
	@$(MAKE) -j2 kqueue-tests-kqueue-tsan
	@$(MAKE) -j2 c-programs-kqueue $(BUILD)/kqueue/driver $(BUILD)/kqueue-tsan/driver
	$(BUILD)/kqueue/driver $(DRIVER_SECONDS)
	$(BUILD)/kqueue-tsan/driver $(DRIVER_TSAN_SECONDS)
	@$(MAKE) swift-programs-kqueue
	JAZZY_C_BUILD=$(BUILD)/kqueue JAZZY_SWIFT_BUILD=$(KQUEUE_SWIFT)/debug $(PYTHON) -m pytest -q --numprocesses 2 \
		--dist loadfile --no-loadscope-reorder $(KQUEUE_INTEGRATION) $(KQUEUE_SWIFT_INTEGRATION)
