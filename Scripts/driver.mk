# Whole servers, their system calls and allocations wrapped: `make test-driver` plays with them for two minutes,
# DRIVER_SECONDS says otherwise.

DRIVER_SECONDS ?= 120
DRIVER_TSAN_SECONDS ?= 30
DRIVER_SOURCES := $(wildcard Tests/Driver/*.c) $(patsubst %,Tests/Fuzz/support/%.c,client_deflate client_frame)
DRIVER_CALLS := accept4 recv send sendmsg epoll_ctl epoll_wait clock_gettime malloc calloc realloc free mmap mremap munmap

# $(1) build, $(2) compiler, $(3) its flags, $(4) more libraries
define driver
$(BUILD)/$(1)/driver: $(DRIVER_SOURCES:%.c=$(BUILD)/$(1)/%.o) $(BUILD)/$(1)/libcjazzypoll.a
	$(2) $(3) $$^ $(DRIVER_CALLS:%=-Wl,--wrap=%) $$(C_LIBRARIES) $(4) -o $$@
endef

$(eval $(call driver,sanitized,$(CLANG),$(SANITIZED_FLAGS)))
$(eval $(call driver,tsan,$(CLANG),$(TSAN_FLAGS),$(TSAN_LIBRARIES)))

# The scene's seed is told where one fails: `build/sanitized/driver 0 SEED` plays it again.
.PHONY: test-driver play-driver
test-driver: $(BUILD)/sanitized/driver $(BUILD)/tsan/driver
	$(BUILD)/sanitized/driver $(DRIVER_SECONDS)
	$(BUILD)/tsan/driver $(DRIVER_TSAN_SECONDS)

play-driver: $(BUILD)/sanitized/driver
	@$(BUILD)/sanitized/driver $(SECONDS)
