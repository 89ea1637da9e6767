# The library as on macOS and FreeBSD, as far as its poll goes: loop/kqueue.c over the kqueue of Tests/Shims/kqueue. That
# shim's tests, and those of the library, in builds of their own: kqueue (with the sanitizers) and kqueue-tsan.

KQUEUE_SHIM := $(wildcard Tests/Shims/kqueue/*.c)
KQUEUE_SHIM_TESTS := $(wildcard Tests/Shims/kqueue/tests/test_*.c)
KQUEUE_FLAGS := -DJZ_POLL_BY_KQUEUE=1 -ITests/Shims/kqueue
# Of the unit tests, those of the poll, and of servers whose descriptors do more than being ready.
KQUEUE_TESTS := $(filter $(addprefix %/test_,$(addsuffix .c,poll poll_changes poll_readiness poll_storm links \
	adopting_bells forked_child hand_over local_peers lost_descriptors slow_receivers stopping watch)),$(C_UNIT_TESTS))
KQUEUE_TSAN_TESTS := $(filter %/test_poll.c %/test_poll_storm.c %/test_stopping.c,$(C_UNIT_TESTS))
# Of the integration tests, those that have no server of these builds: they read files, compile, or build as users do; and
# one that would link what is sanitized with what is not.
KQUEUE_LEFT_OUT := admission_is_checked another_c_library conformance_document deployment_container deployment_static \
	documentation documentation_commands documentation_in_javascript documentation_is_run documentation_manifests \
	documentation_of_redis documentation_of_tls folders hummingbird install install_redis install_tls message_cannot_escape missing_zlib \
	project_files redis_checker run_tests state_cannot_escape top_level_code users_package
KQUEUE_INTEGRATION := $(filter-out $(KQUEUE_LEFT_OUT:%=Tests/Integration/test_%.py),$(wildcard Tests/Integration/test_*.py))
KQUEUE_INTEGRATION_SHORT := $(addprefix Tests/Integration/test_,$(addsuffix .py,events half_open_peers slow_readers \
	stopping tls_ports))

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
$(eval $(call redis_build,kqueue,$(CLANG),$(SANITIZED_FLAGS) $(KQUEUE_FLAGS),$(REDIS_UNIT_TESTS),$(KQUEUE_LIBRARIES)))
$(eval $(call redis_probe,kqueue,$(CLANG),$(SANITIZED_FLAGS) $(KQUEUE_FLAGS),$(KQUEUE_LIBRARIES)))
$(eval $(call c_conformance,kqueue,$(CLANG),$(SANITIZED_FLAGS) $(KQUEUE_FLAGS)))
$(eval $(call c_conformance_of_servers,kqueue,$(CLANG),$(SANITIZED_FLAGS) $(KQUEUE_FLAGS),$(KQUEUE_LIBRARIES)))

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
KQUEUE_SWIFT_LINKED := $(addprefix -Xlinker , \
	--whole-archive $(KQUEUE_SWIFT_SHIM) --no-whole-archive --wrap=close --wrap=shutdown)
KQUEUE_SWIFT_FLAGS := $(addprefix -Xcc ,-DJZ_POLL_BY_KQUEUE=1 -I$(abspath Tests/Shims/kqueue)) $(KQUEUE_SWIFT_LINKED)
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

# Every unit test of the C libraries, the driver as long as test-driver, and every integration test with a server, the
# pages in browsers and the processes that share topics through Redis among them.
.PHONY: whole-kqueue
whole-kqueue: swift-toolchain test-packages $(VENV)/.installed clients
	@$(MAKE) -j2 c-unit-tests-kqueue
	@$(MAKE) -j2 kqueue-tests-kqueue-tsan
	@$(MAKE) -j2 c-programs-kqueue $(BUILD)/kqueue/driver $(BUILD)/kqueue-tsan/driver
	$(BUILD)/kqueue/driver $(DRIVER_SECONDS)
	$(BUILD)/kqueue-tsan/driver $(DRIVER_TSAN_SECONDS)
	@$(MAKE) swift-programs-kqueue
	JAZZY_C_BUILD=$(BUILD)/kqueue JAZZY_SWIFT_BUILD=$(KQUEUE_SWIFT)/debug \
		JAZZY_C_LINKED='$(KQUEUE_LIBRARIES) -Wl,-u,__wrap_close' JAZZY_SWIFT_LINKED='$(KQUEUE_SWIFT_LINKED)' \
		$(PYTHON) -m pytest -q -rs --numprocesses 2 --dist loadfile --no-loadscope-reorder $(KQUEUE_INTEGRATION)
