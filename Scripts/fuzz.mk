# Fuzzing. `make fuzz SECONDS=60` looks for new inputs that break something, `make fuzz-regressions` replays the known ones.

SECONDS ?= 60
FUZZ_BUILD := $(BUILD)/fuzz
FUZZ_TARGETS := $(patsubst Tests/Fuzz/%.c,%,$(wildcard Tests/Fuzz/fuzz_*.c))
FUZZ_SUPPORT := $(wildcard Tests/Fuzz/support/*.c)
FUZZ_FLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
# Of Redis as a broker all but its connections; of those what reads replies.
FUZZ_REDIS := $(filter-out Sources/CJazzyRedis/link/%,$(REDIS_SOURCES)) \
	$(addprefix Sources/CJazzyRedis/link/,quick.c replies.c)
# The sources in which the fuzzer looks for new paths: without the reference implementations, which would only slow it
# down.
FUZZ_GUIDES := $(C_SOURCES) $(filter Sources/CJazzyTLS/channel/%,$(TLS_SOURCES)) $(FUZZ_REDIS) \
	$(wildcard Tests/Fuzz/fuzz_*.c) Tests/Fuzz/support/frame_script.c
# libFuzzer itself is C++.
FUZZ_PACKAGES := zlib1g-dev $(TLS_PACKAGES) $(REDIS_PACKAGES) libcmocka-dev libc6-dev g++
FUZZ_LIMITS := -timeout=10 -rss_limit_mb=2048 -max_len=4096

$(FUZZ_GUIDES:%.c=$(FUZZ_BUILD)/%.o): C_FLAGS += -fsanitize=fuzzer-no-link
$(eval $(call c_build,fuzz,$(CLANG),$(FUZZ_FLAGS)))

$(FUZZ_BUILD)/fuzz_%: $(FUZZ_BUILD)/Tests/Fuzz/fuzz_%.o $(FUZZ_SUPPORT:%.c=$(FUZZ_BUILD)/%.o) \
		$(FUZZ_BUILD)/libcjazzypoll.a
	$(CLANG) -fsanitize=fuzzer,address,undefined $(filter %.o,$^) $(filter %.a,$^) $(FUZZ_WRAPS) $(C_LIBRARIES) -o $@

# The target with a whole server runs on a simulated kernel, to which the linker redirects these calls.
FUZZ_SERVER := $(wildcard Tests/Fuzz/server/*.c Tests/Driver/peer/*.c)
$(FUZZ_BUILD)/fuzz_server: $(FUZZ_SERVER:%.c=$(FUZZ_BUILD)/%.o)
$(FUZZ_BUILD)/fuzz_server: FUZZ_WRAPS := $(call wraps,$(FUZZ_SERVER))

# The target of TLS has the wire of the unit tests, and can let allocations fail.
FUZZ_TLS := $(addprefix Tests/CJazzyTLSTests/support/,wire.c authority.c openssl_memory.c) \
	Tests/CJazzyPollTests/support/allocation.c
$(eval $(call tls_build,fuzz,$(CLANG),$(FUZZ_FLAGS)))
$(FUZZ_BUILD)/Tests/Fuzz/fuzz_tls_%.o: C_FLAGS += $(TLS_INCLUDES) -ITests/CJazzyTLSTests
$(FUZZ_BUILD)/fuzz_tls_channel: $(FUZZ_TLS:%.c=$(FUZZ_BUILD)/%.o) $(TLS_SOURCES:%.c=$(FUZZ_BUILD)/%.o)
$(FUZZ_BUILD)/fuzz_tls_channel: FUZZ_WRAPS := $(call wraps,$(FUZZ_TLS))
$(FUZZ_BUILD)/fuzz_tls_channel $(FUZZ_BUILD)/fuzz_tls_server: C_LIBRARIES += -lcmocka $(TLS_LIBRARIES)

# The target with a whole server and TLS has both.
FUZZ_SECURE := $(wildcard Tests/Fuzz/secure/*.c) Tests/CJazzyTLSTests/support/authority.c
$(FUZZ_BUILD)/Tests/Fuzz/secure/%.o: C_FLAGS += $(TLS_INCLUDES)
$(FUZZ_BUILD)/fuzz_tls_server: $(FUZZ_SECURE:%.c=$(FUZZ_BUILD)/%.o) $(FUZZ_SERVER:%.c=$(FUZZ_BUILD)/%.o) \
	$(TLS_SOURCES:%.c=$(FUZZ_BUILD)/%.o)
$(FUZZ_BUILD)/fuzz_tls_server: FUZZ_WRAPS := $(call wraps,$(FUZZ_SERVER))

$(eval $(call redis_build,fuzz,$(CLANG),$(FUZZ_FLAGS)))
$(FUZZ_BUILD)/Tests/Fuzz/fuzz_redis_%.o: C_FLAGS += $(REDIS_INCLUDES)
$(addprefix $(FUZZ_BUILD)/,$(filter fuzz_redis_%,$(FUZZ_TARGETS))): $(FUZZ_REDIS:%.c=$(FUZZ_BUILD)/%.o)
$(FUZZ_BUILD)/fuzz_redis_quick: C_LIBRARIES += $(REDIS_LIBRARIES)

.PHONY: fuzz-packages
fuzz-packages:
	@Scripts/install-packages $(FUZZ_PACKAGES)

.PHONY: fuzz-programs
fuzz-programs: $(FUZZ_TARGETS:%=$(FUZZ_BUILD)/%)

# Two targets at a time; all of them, even if one has found something. The driver (driver.mk) is another one.
.PHONY: fuzz
fuzz: fuzz-packages
	@$(MAKE) -j2 fuzz-programs
	@$(MAKE) --keep-going -j2 $(FUZZ_TARGETS:%=run-%) play-driver

.PHONY: fuzz-regressions
fuzz-regressions: fuzz-packages
	@$(MAKE) -j2 fuzz-programs
	@$(MAKE) --keep-going $(FUZZ_TARGETS:%=replay-%)

# $(1) target, $(2) name of the log, $(3) arguments
define fuzz_run
	@mkdir -p $(FUZZ_BUILD)/corpus/$(1) $(FUZZ_BUILD)/artifacts/$(1) $(FUZZ_BUILD)/logs
	@$(FUZZ_BUILD)/$(1) $(FUZZ_LIMITS) -artifact_prefix=$(FUZZ_BUILD)/artifacts/$(1)/ $(3) \
		>$(FUZZ_BUILD)/logs/$(2) 2>&1 || { \
		grep -v '^#[0-9]' $(FUZZ_BUILD)/logs/$(2) | tail -n 60; \
		echo "$(1) failed; the input: $$(sed -n 's/.*Test unit written to //p' $(FUZZ_BUILD)/logs/$(2))" >&2; \
		exit 1; }
	@echo "$(1): $$(grep '^#[0-9]' $(FUZZ_BUILD)/logs/$(2) | tail -n 1)"
endef

# New inputs go to the first folder; the committed ones are not changed.
run-%: $(FUZZ_BUILD)/%
	$(call fuzz_run,$*,$*.log,-max_total_time=$(SECONDS) $(addprefix -dict=,$(wildcard Tests/Fuzz/$*.dict)) \
		$(FUZZ_BUILD)/corpus/$* Tests/Fuzz/corpus/$* $(wildcard Tests/Fuzz/regressions/$*))

replay-%: $(FUZZ_BUILD)/%
	$(call fuzz_run,$*,$*.replay.log,-runs=0 Tests/Fuzz/corpus/$* $(wildcard Tests/Fuzz/regressions/$*))
