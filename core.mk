# The C core, its tests and programs, in three builds: release, sanitized (clang) and gcc (for its warnings).

C_WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Werror
C_FLAGS := -std=c17 $(C_WARNINGS) -ISources/CJazzyPoll/include -MMD -MP -pthread
# Swift's clang takes gold, which warns about every symbol of the sanitizers.
C_LINKER := $(if $(filter Linux,$(shell uname)),-fuse-ld=bfd)
C_LIBRARIES := $(C_LINKER) -lz -pthread
C_SOURCES := $(wildcard Sources/CJazzyPoll/*/*.c)
C_UNIT_TESTS := $(patsubst Tests/CJazzyPollTests/%.c,%,$(wildcard Tests/CJazzyPollTests/test_*.c))
C_TEST_SUPPORT := $(wildcard Tests/CJazzyPollTests/support/*.c)
# Every allocation goes through Tests/CJazzyPollTests/support/allocation.c, where a test can make one fail.
C_TEST_WRAPS := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc

# $(1) build name, $(2) compiler, $(3) its flags.
define c_build
$(BUILD)/$(1)/%.o: %.c
	@mkdir -p $$(@D)
	$(2) $$(C_FLAGS) $(3) -c $$< -o $$@
$(BUILD)/$(1)/libcjazzypoll.a: $(C_SOURCES:%.c=$(BUILD)/$(1)/%.o)
	rm -f $$@
	ar rcs $$@ $$^
$(BUILD)/$(1)/test_%: $(BUILD)/$(1)/Tests/CJazzyPollTests/test_%.o $(C_TEST_SUPPORT:%.c=$(BUILD)/$(1)/%.o) \
		$(BUILD)/$(1)/libcjazzypoll.a
	$(2) $(3) $$^ $$(C_TEST_WRAPS) -lcmocka $$(C_LIBRARIES) -o $$@
$(BUILD)/$(1)/echo-server: $(BUILD)/$(1)/Examples/echo-server.o $(BUILD)/$(1)/libcjazzypoll.a
	$(2) $(3) $$^ $$(C_LIBRARIES) -o $$@
$(BUILD)/$(1)/bench-echo-c: $(BUILD)/$(1)/Benchmarks/bench-echo-c/main.o $(BUILD)/$(1)/libcjazzypoll.a
	$(2) $(3) $$^ $$(C_LIBRARIES) -o $$@
.PHONY: c-unit-tests-$(1) c-programs-$(1)
c-unit-tests-$(1): $(C_UNIT_TESTS:%=$(BUILD)/$(1)/%)
	@set -e; for test in $$^; do echo "== $$$$test"; $$$$test; done
c-programs-$(1): $(BUILD)/$(1)/echo-server $(BUILD)/$(1)/bench-echo-c
endef

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
$(eval $(call c_build,release,$(CLANG),-O2 -g -fPIC -fvisibility=hidden))
$(eval $(call c_build,sanitized,$(CLANG),-O1 -g $(SANITIZE)))
$(eval $(call c_build,gcc,$(GCC),-O2))

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.SECONDARY:

.PHONY: library
library: $(BUILD)/release/libcjazzypoll.a
