# What proves that servers over Redis lose nothing in silence: the server that these tests probe, and the plays of a
# night, which are those of the other tests with a thousand seeds.

REDIS_PROBE_SOURCES := $(wildcard Tests/Integration/servers/redis/*.c) Tests/Integration/servers/event-line.c

# $(1) build, $(2) compiler, $(3) its flags, $(4) more libraries
define redis_probe
$(BUILD)/$(1)/Tests/Integration/servers/redis/%.o: C_FLAGS += $(REDIS_INCLUDES)
$(BUILD)/$(1)/redis-probe: $(REDIS_PROBE_SOURCES:%.c=$(BUILD)/$(1)/%.o) $(BUILD)/$(1)/libcjazzyredis.a \
		$(BUILD)/$(1)/libcjazzypoll.a
	$(2) $(3) $$^ $$(REDIS_LIBRARIES) $$(C_LIBRARIES) $(4) -o $$@
c-programs-$(1): $(BUILD)/$(1)/redis-probe
endef

$(eval $(call redis_probe,release,$(RELEASE_CC),$(RELEASE_FLAGS)))
$(eval $(call redis_probe,sanitized,$(CLANG),$(SANITIZED_FLAGS)))
$(eval $(call redis_probe,tsan,$(CLANG),$(TSAN_FLAGS),$(TSAN_LIBRARIES)))

# $(1) build, $(2) seeds
redis_plays = JAZZY_C_BUILD=$(BUILD)/$(1) JAZZY_REDIS_SEEDS=$(2) $(PYTHON) -m pytest -q \
	Tests/Integration/test_redis_seeded.py Tests/Integration/test_redis_histories.py \
	Tests/Integration/test_redis_members_seeded.py

.PHONY: nightly-redis
nightly-redis: $(VENV)/.installed $(BUILD)/release/redis-probe $(BUILD)/sanitized/redis-probe \
		$(BUILD)/tsan/redis-probe
	@Scripts/install-packages $(TEST_PACKAGES)
	$(call redis_plays,release,1-500)
	$(call redis_plays,sanitized,501-800)
	$(call redis_plays,tsan,801-1000)

# The unit tests over another hiredis than the system's, such as a 1.x that was built and installed below a folder.
HIREDIS ?= /usr/local
.PHONY: other-hiredis redis-unit-tests
other-hiredis:
	@$(MAKE) BUILD=$(BUILD)/other-hiredis REDIS_TLS= "REDIS_CFLAGS=-isystem $(HIREDIS)/include" \
		"REDIS_LIBRARIES=-L$(HIREDIS)/lib -Wl,-rpath,$(HIREDIS)/lib -lhiredis" redis-unit-tests
redis-unit-tests: $(call c_test_programs,gcc,$(REDIS_UNIT_TESTS))
	@for program in $^; do $$program || exit 1; done
