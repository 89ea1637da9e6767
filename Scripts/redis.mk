# CJazzyRedis, the library of Redis as a broker, over hiredis, and its unit tests, in the builds of core.mk. Nothing of
# the core needs it.

REDIS_PACKAGES := libhiredis-dev
# For tests, which start servers of their own.
REDIS_TEST_PACKAGES := redis-server redis-sentinel redis-tools
# What the system's pkg-config knows of hiredis, or what a compiler finds without. Its headers are none of ours to warn
# of. REDIS_TLS: whether the library has TLS (rediss://), by OpenSSL; `make REDIS_TLS=` leaves it out.
REDIS_TLS := $(shell pkg-config --exists 'openssl >= 3' 2>/dev/null && echo yes)
REDIS_CFLAGS := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags hiredis 2>/dev/null)) \
	$(if $(REDIS_TLS),-DJZ_REDIS_TLS $(TLS_CFLAGS))
REDIS_LIBRARIES := $(or $(shell pkg-config --libs hiredis 2>/dev/null),-lhiredis) \
	$(if $(REDIS_TLS),$(TLS_LIBRARIES))
REDIS_INCLUDES := -ISources/CJazzyRedis/include -ISources/CJazzyRedis $(REDIS_CFLAGS)
REDIS_SOURCES := $(wildcard Sources/CJazzyRedis/*/*.c)
# Tests use the support of the core's, with all that it replaces.
REDIS_TEST_SUPPORT := $(wildcard Tests/CJazzyRedisTests/support/*.c)
REDIS_TEST_WRAPS := $(call wraps,$(C_TEST_SUPPORT) $(REDIS_TEST_SUPPORT))
REDIS_UNIT_TESTS := $(sort $(shell find Tests/CJazzyRedisTests -name 'test_*.c'))
REDIS_THREAD_TESTS := $(shell grep -lE 'pthread|jazzy\.h"|jazzy/redis\.h|support/(serv|client|node)' $(REDIS_UNIT_TESTS))

# The object file of each test program. $(1) build
define redis_test_objects
$(foreach test,$(REDIS_UNIT_TESTS),$(call c_test_programs,$(1),$(test)): $(test:%.c=$(BUILD)/$(1)/%.o)
)
endef

# $(1) build, $(2) compiler, $(3) its flags, $(4) sources of unit tests, $(5) more libraries for them
define redis_build
$(BUILD)/$(1)/Sources/CJazzyRedis/%.o: C_FLAGS += $(REDIS_INCLUDES)
$(BUILD)/$(1)/Tests/CJazzyRedisTests/%.o: C_FLAGS += $(REDIS_INCLUDES) -ITests/CJazzyRedisTests \
	-ITests/CJazzyPollTests
$(BUILD)/$(1)/libcjazzyredis.a: $(REDIS_SOURCES:%.c=$(BUILD)/$(1)/%.o)
	rm -f $$@
	$(AR) rcs $$@ $$^
$(call redis_test_objects,$(1))
$(call c_test_programs,$(1),$(REDIS_UNIT_TESTS)): $(REDIS_TEST_SUPPORT:%.c=$(BUILD)/$(1)/%.o) \
		$(C_TEST_SUPPORT:%.c=$(BUILD)/$(1)/%.o) $(BUILD)/$(1)/libcjazzyredis.a $(BUILD)/$(1)/libcjazzypoll.a
	$(2) $(3) $$(filter %.o,$$^) $$(filter %.a,$$^) $$(REDIS_TEST_WRAPS) -lcmocka $$(REDIS_LIBRARIES) \
		$$(C_LIBRARIES) $(5) -o $$@
c-unit-tests-$(1): $(call c_test_programs,$(1),$(4))
$(BUILD)/$(1)/Examples/redis-%.o: C_FLAGS += $(REDIS_INCLUDES)
$(BUILD)/$(1)/redis-broadcast-server: $(BUILD)/$(1)/Examples/redis-broadcast-server.o \
		$(BUILD)/$(1)/libcjazzyredis.a $(BUILD)/$(1)/libcjazzypoll.a
	$(2) $(3) $$^ $$(REDIS_LIBRARIES) $$(C_LIBRARIES) $(5) -o $$@
c-programs-$(1): $(BUILD)/$(1)/redis-broadcast-server
endef

$(eval $(call redis_build,release,$(RELEASE_CC),$(RELEASE_FLAGS),$(REDIS_UNIT_TESTS)))
$(eval $(call redis_build,sanitized,$(CLANG),$(SANITIZED_FLAGS),$(REDIS_UNIT_TESTS)))
$(eval $(call redis_build,gcc,$(GCC),$(GCC_FLAGS),$(REDIS_UNIT_TESTS)))
$(eval $(call redis_build,tsan,$(CLANG),$(TSAN_FLAGS),$(REDIS_THREAD_TESTS),$(TSAN_LIBRARIES)))

$(REDIS_SOURCES:%.c=$(BUILD)/release/%.o): $(BUILD)/release/.compiler

# The first number of the shared library's version changes when programs must be rebuilt.
REDIS_ABI_VERSION := 2

# It has to find all that it needs in the core's shared library, which shows what is public there.
SHARED_REDIS := $(BUILD)/release/$(call shared_file,cjazzyredis)
$(SHARED_REDIS): $(REDIS_SOURCES:%.c=$(BUILD)/release/%.o) $(SHARED_CORE)
	$(RELEASE_CC) $(call shared_flags,cjazzyredis,$(REDIS_ABI_VERSION)) $^ $(REDIS_LIBRARIES) $(C_LIBRARIES) -o $@

.PHONY: library-redis
library-redis: C_FLAGS += -Wno-error
library-redis: library $(BUILD)/release/libcjazzyredis.a $(SHARED_REDIS)

define REDIS_PKG_CONFIG_FILE
prefix=$(PREFIX)
libdir=$${prefix}/lib
includedir=$${prefix}/include

Name: jazzyredis
Description: Redis as the broker of the WebSocket server library cjazzypoll, by hiredis
Version: $(VERSION)
Requires: cjazzypoll = $(VERSION)
Requires.private: hiredis >= 0.14$(if $(REDIS_TLS),$(comma) openssl >= 3.0)
Libs: -L$${libdir} -lcjazzyredis
Libs.private: -pthread
Cflags: -I$${includedir}
endef
export REDIS_PKG_CONFIG_FILE

# Besides the core, which is installed with it. hiredis's headers have to be there.
.PHONY: install-redis
install-redis: library-redis install
	install -m 644 $(BUILD)/release/libcjazzyredis.a $(DESTDIR)$(PREFIX)/lib
	$(call install_shared,cjazzyredis,$(REDIS_ABI_VERSION))
	install -m 644 Sources/CJazzyRedis/include/jazzy/redis.h $(DESTDIR)$(PREFIX)/include/jazzy
	@echo "$$REDIS_PKG_CONFIG_FILE" > $(DESTDIR)$(PREFIX)/lib/pkgconfig/jazzyredis.pc
