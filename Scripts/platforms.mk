# The C libraries on other systems and processors than this machine's.
#
#     make test-platforms     all of the following
#     make compile-platforms  everything is compiled without a warning, and linked, for each of PLATFORMS, by zig cc
#     make test-arm64         unit tests run by an emulated 64-bit ARM processor; test-arm64-all: all that can
#     make test-big-endian    those of the codec and the session by an emulated s390x
#     make test-musl          those of the codec, and a server, with another C library, linked statically

PLATFORMS := aarch64-macos x86_64-macos x86_64-freebsd aarch64-linux-gnu x86_64-linux-musl aarch64-linux-musl
PLATFORM_BUILD := platforms
PLATFORM_GOALS := compile-platforms $(addprefix libraries-,$(filter %-macos %-freebsd,$(PLATFORMS))) test-arm64 \
	test-arm64-all test-big-endian test-musl
CROSS_PACKAGES := gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-s390x-linux-gnu libc6-dev-s390x-cross qemu-user

# zig leaves an empty object where it fails.
.DELETE_ON_ERROR:

.PHONY: test-platforms $(PLATFORM_GOALS) platform-packages
test-platforms: platform-packages
	@$(MAKE) -s -j2 compile-platforms
	BUILD=$(BUILD) $(BUILD)/zig/bin/python -m unittest discover --quiet --start-directory Tests/Platforms
	@$(MAKE) -s -j2 test-musl
	@$(MAKE) -s -j2 test-arm64
	@$(MAKE) -s -j2 test-big-endian

platform-packages:
	@Scripts/install-packages $(CROSS_PACKAGES) $(TLS_PACKAGES) $(REDIS_PACKAGES) gcc python3 python3-venv xz-utils bzip2

# zig is a C compiler for many systems, with their headers and libraries; its cache has what it compiled of those.
ZIG := $(BUILD)/zig/zig
ZIG_INSTALLED := $(BUILD)/zig/.installed
export ZIG_GLOBAL_CACHE_DIR := $(abspath $(BUILD)/zig/cache)
export ZIG_LOCAL_CACHE_DIR := $(abspath $(BUILD)/zig/cache)
$(ZIG_INSTALLED): Tests/Platforms/requirements.txt
	python3 -m venv $(BUILD)/zig
	$(BUILD)/zig/bin/python -m pip install --quiet --disable-pip-version-check --requirement $<
	ln -sf $(abspath $(BUILD))/zig/lib/python*/site-packages/ziglang/zig $(ZIG)
	@touch $@

# Libraries that other systems have, or the tests need, from the sources of Debian's packages.
FOREIGN := $(BUILD)/foreign
FOREIGN_PACKAGES := zlib cmocka hiredis
$(FOREIGN)/.fetched: Scripts/debian-source
	$< $(FOREIGN) $(FOREIGN_PACKAGES)
	@touch $@
ZLIB_FILES := adler32 compress crc32 deflate infback inffast inflate inftrees trees uncompr zutil
HIREDIS_FILES := alloc hiredis net read sds sockcompat # not every release has all of them
CMOCKA_FLAGS := -DHAVE_STRUCT_TIMESPEC -DHAVE_MALLOC_H -DHAVE_UNISTD_H -DHAVE_STRINGS_H -DHAVE_SIGNAL_H \
	-DHAVE_INTTYPES_H -DHAVE_STDINT_H -DHAVE_TIME_H -DHAVE_SETJMP_H -DHAVE_GCC_THREAD_LOCAL_STORAGE -I$(FOREIGN)/cmocka/include

# Headers of libraries of which there are none for these systems. They are the same everywhere, but for what OpenSSL was
# configured with.
PLATFORM_HEADERS := $(BUILD)/$(PLATFORM_BUILD)/headers
$(PLATFORM_HEADERS)/.copied: $(wildcard /usr/include/openssl/ssl.h /usr/include/*/openssl/configuration.h)
	@mkdir -p $(@D)/openssl
	cp /usr/include/openssl/*.h /usr/include/$(shell gcc -print-multiarch)/openssl/*.h $(@D)/openssl
	@touch $@

# OpenSSL's functions by their names alone: so what is linked with them lacks nothing else.
STAND_INS := $(BUILD)/$(PLATFORM_BUILD)/openssl.c
$(STAND_INS): $(PLATFORM_HEADERS)/.copied
	nm -D --defined-only $(foreach name,ssl crypto,$(shell gcc -print-file-name=lib$(name).so)) | \
		sed -nE 's/^[0-9a-f]+ T ([A-Za-z0-9_]+)@.*/void \1(void); void \1(void) {}/p' | sort -u > $@

# Only where it is asked for: these are many rules.
ifneq ($(filter $(PLATFORM_GOALS) $(BUILD)/$(PLATFORM_BUILD)/%,$(MAKECMDGOALS)),)

PLATFORM_OBJECTS := $(patsubst %.c,%.o,$(C_SOURCES) $(TLS_SOURCES) $(REDIS_SOURCES) $(C_TEST_SUPPORT) $(C_UNIT_TESTS) \
	$(wildcard Examples/*.c))

# $(1) build, $(2) compiler, $(3) its flags
define foreign_build
$(BUILD)/$(1)/foreign/%.o: $(FOREIGN)/.fetched | $(ZIG_INSTALLED)
	@mkdir -p $$(@D)
	$(2) $(3) -w -O2 -DHAVE_UNISTD_H -Dfdopen=fdopen -c $(FOREIGN)/$$*.c -o $$@
$(BUILD)/$(1)/foreign/cmocka/%.o: $(FOREIGN)/.fetched | $(ZIG_INSTALLED)
	@mkdir -p $$(@D)
	$(2) $(3) -w -O1 $(CMOCKA_FLAGS) -c $(FOREIGN)/cmocka/$$*.c -o $$@
$(BUILD)/$(1)/libz.a: $(ZLIB_FILES:%=$(BUILD)/$(1)/foreign/zlib/%.o)
$(BUILD)/$(1)/libcmocka.a: $(BUILD)/$(1)/foreign/cmocka/src/cmocka.o
$(BUILD)/$(1)/libz.a $(BUILD)/$(1)/libcmocka.a:
	rm -f $$@
	$(AR) rcs $$@ $$^
$(BUILD)/$(1)/libhiredis.a: $(FOREIGN)/.fetched | $(ZIG_INSTALLED)
	@mkdir -p $(BUILD)/$(1)/foreign/hiredis
	rm -f $$@
	for file in $(HIREDIS_FILES); do [ ! -f $(FOREIGN)/hiredis/$$$$file.c ] || \
		$(2) $(3) -w -O2 -c $(FOREIGN)/hiredis/$$$$file.c -o $(BUILD)/$(1)/foreign/hiredis/$$$$file.o; done
	$(AR) rcs $$@ $(BUILD)/$(1)/foreign/hiredis/*.o
endef

# $(1) build, $(2) compiler, $(3) its flags
define platform_build
$(call foreign_build,$(1),$(2),$(3))
$(call c_build,$(1),$(2),$(3) -isystem $(FOREIGN)/zlib -isystem $(FOREIGN)/cmocka/include -L$(BUILD)/$(1),$(C_UNIT_TESTS))
$(addprefix $(BUILD)/$(1)/,$(PLATFORM_OBJECTS)): | $(FOREIGN)/.fetched
$(call c_test_programs,$(1),$(C_UNIT_TESTS)): | $(BUILD)/$(1)/libcmocka.a
$(BUILD)/$(1)/echo-server $(call c_test_programs,$(1),$(C_UNIT_TESTS)): | $(BUILD)/$(1)/libz.a
endef

# $(1) target of zig, $(2) more flags
define zig_build
$(call platform_build,$(PLATFORM_BUILD)/$(1),$(ZIG) cc -target $(1),-O2 $(2))
$(BUILD)/$(PLATFORM_BUILD)/$(1)/%: C_LIBRARIES := -lz -pthread
$(addprefix $(BUILD)/$(PLATFORM_BUILD)/$(1)/,$(PLATFORM_OBJECTS)): | $(ZIG_INSTALLED) $(PLATFORM_HEADERS)/.copied
$(BUILD)/$(PLATFORM_BUILD)/$(1)/Sources/CJazzyTLS/%.o $(BUILD)/$(PLATFORM_BUILD)/$(1)/Examples/tls-%.o: \
	C_FLAGS += -ISources/CJazzyTLS/include -ISources/CJazzyTLS -isystem $(PLATFORM_HEADERS)
$(BUILD)/$(PLATFORM_BUILD)/$(1)/Sources/CJazzyRedis/%.o $(BUILD)/$(PLATFORM_BUILD)/$(1)/Examples/redis-%.o: \
	C_FLAGS += -ISources/CJazzyRedis/include -ISources/CJazzyRedis -isystem $(FOREIGN)
$(BUILD)/$(PLATFORM_BUILD)/$(1)/redis-broadcast-server: \
		$(BUILD)/$(PLATFORM_BUILD)/$(1)/Examples/redis-broadcast-server.o \
		$(REDIS_SOURCES:%.c=$(BUILD)/$(PLATFORM_BUILD)/$(1)/%.o) $(BUILD)/$(PLATFORM_BUILD)/$(1)/libcjazzypoll.a \
		| $(BUILD)/$(PLATFORM_BUILD)/$(1)/libhiredis.a $(BUILD)/$(PLATFORM_BUILD)/$(1)/libz.a
	$(ZIG) cc -target $(1) -L$(BUILD)/$(PLATFORM_BUILD)/$(1) $$^ -lhiredis -lz -pthread -o $$@
$(BUILD)/$(PLATFORM_BUILD)/$(1)/openssl.o: $(STAND_INS) | $(ZIG_INSTALLED)
	$(ZIG) cc -target $(1) -w -fno-builtin -c $$< -o $$@
$(BUILD)/$(PLATFORM_BUILD)/$(1)/tls-echo-server: \
		$(BUILD)/$(PLATFORM_BUILD)/$(1)/Examples/tls-echo-server.o $(BUILD)/$(PLATFORM_BUILD)/$(1)/openssl.o \
		$(TLS_SOURCES:%.c=$(BUILD)/$(PLATFORM_BUILD)/$(1)/%.o) $(BUILD)/$(PLATFORM_BUILD)/$(1)/libcjazzypoll.a \
		| $(BUILD)/$(PLATFORM_BUILD)/$(1)/libz.a
	$(ZIG) cc -target $(1) -L$(BUILD)/$(PLATFORM_BUILD)/$(1) $$^ -lz -pthread -o $$@
compile-platforms: $(addprefix $(BUILD)/$(PLATFORM_BUILD)/$(1)/,echo-server redis-broadcast-server tls-echo-server)
endef

ordinary_ar := $(AR)
AR := $(ZIG) ar
$(foreach platform,$(PLATFORMS),$(eval $(call zig_build,$(platform),-fPIC)))
AR := $(ordinary_ar)

# The libraries, static and shared, as `make install-redis` makes and installs them there: in installed/TARGET, which
# Tests/Platforms looks at. $(1) target of zig, $(2) what uname says there
define zig_libraries
.PHONY: libraries-$(1)
libraries-$(1): $(BUILD)/$(PLATFORM_BUILD)/$(1)/libz.a $(BUILD)/$(PLATFORM_BUILD)/$(1)/libhiredis.a | $(ZIG_INSTALLED)
	$$(MAKE) -s install-redis SYSTEM=$(2) BUILD=$(BUILD)/$(PLATFORM_BUILD)/libraries/$(1) \
		DESTDIR=$(abspath $(BUILD)/$(PLATFORM_BUILD))/installed/$(1) AR='$(ZIG) ar' \
		CC='$(ZIG) cc -target $(1) -isystem $(FOREIGN)/zlib -L$(BUILD)/$(PLATFORM_BUILD)/$(1)' \
		REDIS_TLS= REDIS_CFLAGS='-isystem $(FOREIGN)' REDIS_LIBRARIES=-lhiredis \
		ZIG_GLOBAL_CACHE_DIR=$(ZIG_GLOBAL_CACHE_DIR) ZIG_LOCAL_CACHE_DIR=$(ZIG_LOCAL_CACHE_DIR)
compile-platforms: libraries-$(1)
endef

$(foreach platform,$(filter %-macos,$(PLATFORMS)),$(eval $(call zig_libraries,$(platform),Darwin)))
$(foreach platform,$(filter %-freebsd,$(PLATFORMS)),$(eval $(call zig_libraries,$(platform),FreeBSD)))

$(eval $(call platform_build,$(PLATFORM_BUILD)/arm64,aarch64-linux-gnu-gcc,-O2))
$(eval $(call platform_build,$(PLATFORM_BUILD)/s390x,s390x-linux-gnu-gcc,-O2))

# Not under an emulator: what runs its own program again, and what asks for numbers that it does not emulate (TCP_INFO).
# Nor in the selections: what takes a minute there.
NOT_EMULATED := %/test_thread_stacks.c %/test_socket.c
SLOW_THERE := %_cost.c %/test_inflation.c %/test_tiny_fragments.c %/test_compression.c %/test_decompression.c \
	%/test_allocation_failures_in_sessions.c
EMULATED_TESTS := $(filter-out $(NOT_EMULATED) $(SLOW_THERE),$(C_UNIT_TESTS))
PURE_TESTS := $(filter %.c,$(foreach room,codec session,$(filter Tests/CJazzyPollTests/$(room)/%,$(EMULATED_TESTS))))
ARM64_TESTS := $(filter-out Tests/CJazzyPollTests/behaviour/%,$(EMULATED_TESTS)) $(addprefix \
	Tests/CJazzyPollTests/behaviour/test_,$(addsuffix .c,server storm listening transports thread_names unshared_ports))

test-arm64: export EMULATOR := qemu-aarch64 -L /usr/aarch64-linux-gnu
test-arm64: $(call c_test_programs,$(PLATFORM_BUILD)/arm64,$(ARM64_TESTS))
	@Scripts/run-tests $^
test-arm64-all: export EMULATOR := qemu-aarch64 -L /usr/aarch64-linux-gnu
test-arm64-all: $(call c_test_programs,$(PLATFORM_BUILD)/arm64,$(filter-out $(NOT_EMULATED),$(C_UNIT_TESTS)))
	@Scripts/run-tests $^
test-big-endian: export EMULATOR := qemu-s390x -L /usr/s390x-linux-gnu
test-big-endian: $(call c_test_programs,$(PLATFORM_BUILD)/s390x,$(PURE_TESTS))
	@Scripts/run-tests $^
test-musl: $(call c_test_programs,$(PLATFORM_BUILD)/x86_64-linux-musl,$(filter Tests/CJazzyPollTests/codec/%,$(C_UNIT_TESTS)))
	@Scripts/run-tests $^

endif
