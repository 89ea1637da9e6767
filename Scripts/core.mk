# The C core, its unit tests and its programs, in four builds: release, sanitized (clang), gcc (for its warnings) and
# tsan (ThreadSanitizer, which excludes the other sanitizers).

C_WARNINGS := -Wall -Wextra -Wpedantic -Wconversion -Werror
# The system that is built for, as uname calls it: Darwin is macOS. Who cross compiles names another.
ifndef SYSTEM
SYSTEM := $(shell uname -s)
endif
# What compresses: zlib, or with JAZZY_DEFLATE=isal Intel's ISA-L, and what its pkg-config file is called. zlib is needed
# in any case. OTHER_DEFLATE_FLAGS are for tests.
JAZZY_DEFLATE ?= zlib
OTHER_DEFLATE_FLAGS ?=
ifeq ($(JAZZY_DEFLATE),isal)
DEFLATE_MODULE := libisal
DEFLATE_FLAGS := -DJZ_DEFLATE_ISAL $(patsubst -I%,-isystem %,$(shell pkg-config --cflags libisal 2>/dev/null)) \
	$(OTHER_DEFLATE_FLAGS)
DEFLATE_LIBRARIES := $(or $(shell pkg-config --libs libisal 2>/dev/null),-lisal)
else ifneq ($(JAZZY_DEFLATE),zlib)
$(error JAZZY_DEFLATE is zlib or isal, not "$(JAZZY_DEFLATE)")
endif
# Public headers are included as after installation; an include of the core names its folder.
C_FLAGS := -std=c17 $(C_WARNINGS) -ISources/CJazzyPoll/include -ISources/CJazzyPoll -MMD -MP -pthread $(DEFLATE_FLAGS)
# Swift's clang uses gold, which warns about every symbol of the sanitizers.
C_LINKER := $(if $(filter Linux,$(SYSTEM)),$(if $(shell command -v ld.bfd),-fuse-ld=bfd))
C_LIBRARIES := $(C_LINKER) $(DEFLATE_LIBRARIES) -lz -pthread
C_SOURCES := $(wildcard Sources/CJazzyPoll/*/*.c)
# The linker options for sources that replace functions, whose names begin with __wrap_.
wraps = $(patsubst __wrap_%,-Wl$(comma)--wrap=%,$(sort $(shell grep -ohE '__wrap_[A-Za-z0-9_]+' $(1))))
comma := ,
C_TEST_SUPPORT := $(wildcard Tests/CJazzyPollTests/support/*.c)
# Functions that Tests/CJazzyPollTests/support replaces: allocations (allocation.c), clocks (clock.c), zlib
# (zlib_calls.c), the system calls that send (send_calls.c) and receive (receive_calls.c), and the start of threads
# (thread_calls.c).
C_TEST_WRAPS := $(call wraps,$(C_TEST_SUPPORT))
# A folder for each room of the core, and behaviour/. No two tests have the same name, because their programs are in one
# folder.
C_UNIT_TESTS := $(sort $(shell find Tests/CJazzyPollTests -name 'test_*.c'))
# Tests with threads: all that run a server, or use data that threads share.
C_THREAD_TESTS := $(shell grep -lE \
	'pthread|jazzy\.h"|support/(serv|hooked|fleet|client|bystander|journal)|(registry|slots|mailbox|workers)\.h' \
	$(C_UNIT_TESTS))

# The installed library is built with the compiler in CC, or else with one that is found.
ifneq ($(filter default undefined,$(origin CC)),)
RELEASE_CC := $(firstword $(foreach compiler,$(CLANG) $(GCC) cc,$(if $(shell command -v $(compiler)),$(compiler))))
else
RELEASE_CC := $(CC)
endif
RELEASE_FLAGS := -O2 -g -DNDEBUG -fPIC -fvisibility=hidden
SANITIZED_FLAGS := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
GCC_FLAGS := -O2
# The ThreadSanitizer of Swift's clang requires libdispatch.
SWIFT_LIBRARIES := $(realpath $(shell $(CLANG) -print-resource-dir 2>/dev/null)/../../swift/linux)
TSAN_FLAGS := -O1 -g -fsanitize=thread -fno-omit-frame-pointer
TSAN_LIBRARIES := \
	$(if $(SWIFT_LIBRARIES),-L$(SWIFT_LIBRARIES) -Xlinker -rpath -Xlinker $(SWIFT_LIBRARIES) -ldispatch -lBlocksRuntime)

# $(1) build, $(2) compiler, $(3) its flags, $(4) name of a program, $(5) its sources, $(6) more libraries for it
define c_program
$(BUILD)/$(1)/$(4): $(5:%.c=$(BUILD)/$(1)/%.o) $(BUILD)/$(1)/libcjazzypoll.a
	$(2) $(3) $$^ $$(C_LIBRARIES) $(6) -o $$@
c-programs-$(1): $(BUILD)/$(1)/$(4)
endef

# The programs of unit tests. $(1) build, $(2) their sources
c_test_programs = $(addprefix $(BUILD)/$(1)/,$(notdir $(basename $(2))))

# The object file of each of them. $(1) build
define c_test_objects
$(foreach test,$(C_UNIT_TESTS),$(call c_test_programs,$(1),$(test)): $(test:%.c=$(BUILD)/$(1)/%.o)
)
endef

# $(1) build, $(2) compiler, $(3) its flags, $(4) sources of unit tests, $(5) more libraries for all programs
define c_build
$(BUILD)/$(1)/%.o: %.c
	@mkdir -p $$(@D)
	$(2) $$(C_FLAGS) $(3) -c $$< -o $$@
$(BUILD)/$(1)/libcjazzypoll.a: $(C_SOURCES:%.c=$(BUILD)/$(1)/%.o)
	rm -f $$@
	$(AR) rcs $$@ $$^
$(BUILD)/$(1)/libsupport.a: $(C_TEST_SUPPORT:%.c=$(BUILD)/$(1)/%.o)
	rm -f $$@
	$(AR) rcs $$@ $$^
$(BUILD)/$(1)/Tests/CJazzyPollTests/%.o: C_FLAGS += -ITests/CJazzyPollTests
$(call c_test_objects,$(1))
$(call c_test_programs,$(1),$(C_UNIT_TESTS)): $(C_TEST_SUPPORT:%.c=$(BUILD)/$(1)/%.o) $(BUILD)/$(1)/libcjazzypoll.a
	$(2) $(3) $$(filter %.o,$$^) $$(filter %.a,$$^) $$(C_TEST_WRAPS) -lcmocka $$(C_LIBRARIES) $(5) -o $$@
.PHONY: c-unit-tests-$(1) c-programs-$(1)
c-unit-tests-$(1): $(call c_test_programs,$(1),$(4))
	@Scripts/run-tests $$(filter %/conformance-served,$$^) $$(filter %/conformance-secured,$$^) \
		$$(filter-out %/conformance-served %/conformance-secured,$$^)
$(call c_program,$(1),$(2),$(3),echo-server,Examples/echo-server.c,$(5))
$(call c_program,$(1),$(2),$(3),bench-echo-c,$(wildcard Benchmarks/bench-echo-c/*.c),$(5))
$(call c_program,$(1),$(2),$(3),bench-floor,$(wildcard Benchmarks/bench-floor/*.c),$(5))
$(call c_program,$(1),$(2),$(3),bench-micro,$(wildcard Benchmarks/common/*.c Benchmarks/bench-micro/*.c),$(5))
$(call c_program,$(1),$(2),$(3),session-driver,Tests/Differential/session-driver.c,$(5))
endef

$(eval $(call c_build,release,$(RELEASE_CC),$(RELEASE_FLAGS),$(C_UNIT_TESTS)))
$(eval $(call c_build,sanitized,$(CLANG),$(SANITIZED_FLAGS),$(C_UNIT_TESTS)))
$(eval $(call c_build,gcc,$(GCC),$(GCC_FLAGS),$(C_UNIT_TESTS)))
$(eval $(call c_build,tsan,$(CLANG),$(TSAN_FLAGS),$(C_THREAD_TESTS),$(TSAN_LIBRARIES)))

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)
.SECONDARY:

# The shared library's version: the first number changes when programs must be rebuilt.
ABI_VERSION := 6
VERSION := 0.3.0

# Another compiler, or another engine, compiles everything anew.
$(C_SOURCES:%.c=$(BUILD)/release/%.o): $(BUILD)/release/.compiler
$(BUILD)/release/.compiler: always
	@test -n "$(RELEASE_CC)" || { \
		echo "A C compiler is needed: install clang or gcc, or name one, as in make install CC=gcc-14" >&2; exit 1; }
	@mkdir -p $(@D)
	@echo "$(RELEASE_CC) $(JAZZY_DEFLATE)" | cmp -s - $@ || echo "$(RELEASE_CC) $(JAZZY_DEFLATE)" > $@
.PHONY: always
always:

# A shared library's file, libNAME.so.VERSION or, on macOS, libNAME.VERSION.dylib. $(1) NAME, $(2) VERSION, if any
shared_file = lib$(1)$(if $(filter Darwin,$(SYSTEM)),$(2:%=.%).dylib,.so$(2:%=.%))
# How it is linked: it knows by which file programs find it, on macOS with the folder into which it is installed; and what
# it needs has to be there, on macOS without being told to. $(1) NAME, $(2) its ABI version
shared_flags = $(if $(filter Darwin,$(SYSTEM)), \
	-dynamiclib -install_name $(abspath $(PREFIX))/lib/$(call shared_file,$(1),$(2)) \
		-Wl$(comma)-current_version$(comma)$(VERSION), \
	-shared -Wl$(comma)-soname$(comma)$(call shared_file,$(1),$(2)) -Wl$(comma)-z$(comma)defs)
# Installs it, and links to it for programs and for compilers. $(1) NAME, $(2) its ABI version
define install_shared
install -m 755 $(BUILD)/release/$(call shared_file,$(1)) $(DESTDIR)$(PREFIX)/lib/$(call shared_file,$(1),$(VERSION))
ln -sf $(call shared_file,$(1),$(VERSION)) $(DESTDIR)$(PREFIX)/lib/$(call shared_file,$(1),$(2))
ln -sf $(call shared_file,$(1),$(2)) $(DESTDIR)$(PREFIX)/lib/$(call shared_file,$(1))
endef
SHARED_CORE := $(BUILD)/release/$(call shared_file,cjazzypoll)

# Another folder is in a shared library of macOS, which is linked anew.
$(BUILD)/release/.prefix: always
	@mkdir -p $(@D)
	@echo "$(PREFIX)" | cmp -s - $@ || echo "$(PREFIX)" > $@
ifeq ($(SYSTEM),Darwin)
$(SHARED_CORE): $(BUILD)/release/.prefix
endif

$(SHARED_CORE): $(C_SOURCES:%.c=$(BUILD)/release/%.o)
	$(RELEASE_CC) $(call shared_flags,cjazzypoll,$(ABI_VERSION)) $(filter %.o,$^) $(C_LIBRARIES) -o $@

# A warning of an unknown compiler must not prevent the installation.
.PHONY: library
library: C_FLAGS += -Wno-error
library: $(BUILD)/release/libcjazzypoll.a $(SHARED_CORE)

define PKG_CONFIG_FILE
prefix=$(PREFIX)
libdir=$${prefix}/lib
includedir=$${prefix}/include

Name: cjazzypoll
Description: WebSocket server library
Version: $(VERSION)
Requires.private: zlib$(DEFLATE_MODULE:%=$(comma) %)
Libs: -L$${libdir} -lcjazzypoll
Libs.private: -pthread
Cflags: -I$${includedir}
endef
export PKG_CONFIG_FILE

.PHONY: install
install: library
	install -d $(DESTDIR)$(PREFIX)/lib/pkgconfig $(DESTDIR)$(PREFIX)/include/jazzy
	install -m 644 $(BUILD)/release/libcjazzypoll.a $(DESTDIR)$(PREFIX)/lib
	$(call install_shared,cjazzypoll,$(ABI_VERSION))
	install -m 644 Sources/CJazzyPoll/include/jazzy.h $(DESTDIR)$(PREFIX)/include
	install -m 644 Sources/CJazzyPoll/include/jazzy/*.h $(DESTDIR)$(PREFIX)/include/jazzy
	@echo "$$PKG_CONFIG_FILE" > $(DESTDIR)$(PREFIX)/lib/pkgconfig/cjazzypoll.pc
