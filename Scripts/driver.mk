# Whole servers, with wrapped system calls and allocations: `make test-driver` plays scenes for two minutes, or for
# DRIVER_SECONDS.

DRIVER_SECONDS ?= 120
DRIVER_TSAN_SECONDS ?= 30
DRIVER_FILES := $(wildcard Tests/Driver/*.c Tests/Driver/*/*.c)
DRIVER_SOURCES := $(filter-out %/wrapped_kqueue.c,$(DRIVER_FILES))
DRIVER_SUPPORT := $(wildcard Tests/Fuzz/support/*.c) Tests/CJazzyPollTests/support/throttled_transport.c
DRIVER_WRAPS := $(call wraps,$(DRIVER_SOURCES))

# $(1) build, $(2) compiler, $(3) its flags, $(4) more libraries
define driver
$(BUILD)/$(1)/driver: $(DRIVER_SOURCES:%.c=$(BUILD)/$(1)/%.o) $(DRIVER_SUPPORT:%.c=$(BUILD)/$(1)/%.o) \
		$(BUILD)/$(1)/libcjazzypoll.a
	$(2) $(3) $$^ $(DRIVER_WRAPS) $$(C_LIBRARIES) $(4) -o $$@
endef

$(eval $(call driver,sanitized,$(CLANG),$(SANITIZED_FLAGS)))
$(eval $(call driver,tsan,$(CLANG),$(TSAN_FLAGS),$(TSAN_LIBRARIES)))

# If a scene fails, its seed is printed: `build/sanitized/driver 0 SEED` plays it again.
.PHONY: test-driver play-driver
test-driver: $(BUILD)/sanitized/driver $(BUILD)/tsan/driver
	$(BUILD)/sanitized/driver $(DRIVER_SECONDS)
	$(BUILD)/tsan/driver $(DRIVER_TSAN_SECONDS)

play-driver: $(BUILD)/sanitized/driver
	@$(BUILD)/sanitized/driver $(SECONDS)
