# CJazzyTLS, the library of TLS over OpenSSL 3, and its unit tests, in the builds of core.mk. Nothing of the core needs it.

TLS_PACKAGES := libssl-dev
# What the system's pkg-config knows of OpenSSL, or what a compiler finds without.
TLS_CFLAGS := $(shell pkg-config --cflags openssl 2>/dev/null)
TLS_LIBRARIES := $(or $(shell pkg-config --libs openssl 2>/dev/null),-lssl -lcrypto)
TLS_INCLUDES := -ISources/CJazzyTLS/include -ISources/CJazzyTLS $(TLS_CFLAGS)
TLS_SOURCES := $(wildcard Sources/CJazzyTLS/*/*.c)
# Tests use the support of the core's, with all that it replaces; what theirs replaces is replaced, too.
TLS_TEST_SUPPORT := $(wildcard Tests/CJazzyTLSTests/support/*.c)
TLS_TEST_WRAPS := $(call wraps,$(C_TEST_SUPPORT) $(TLS_TEST_SUPPORT))
TLS_UNIT_TESTS := $(sort $(shell find Tests/CJazzyTLSTests -name 'test_*.c'))
TLS_THREAD_TESTS := $(shell grep -lE 'pthread|jazzy\.h"|support/(serv|client)' $(TLS_UNIT_TESTS))

# The server that integration tests probe, with and without TLS.
PROBE_SOURCES := $(wildcard Tests/Integration/servers/*.c) \
	$(addprefix Tests/CJazzyPollTests/support/,throttled_transport.c memory_transport.c memory_client.c)

# The object file of each test program. $(1) build
define tls_test_objects
$(foreach test,$(TLS_UNIT_TESTS),$(call c_test_programs,$(1),$(test)): $(test:%.c=$(BUILD)/$(1)/%.o)
)
endef

# $(1) build, $(2) compiler, $(3) its flags, $(4) sources of unit tests, $(5) more libraries for all programs
define tls_build
$(BUILD)/$(1)/Sources/CJazzyTLS/%.o: C_FLAGS += $(TLS_INCLUDES)
$(BUILD)/$(1)/Tests/CJazzyTLSTests/%.o: C_FLAGS += $(TLS_INCLUDES) -ITests/CJazzyTLSTests -ITests/CJazzyPollTests
$(BUILD)/$(1)/libcjazzytls.a: $(TLS_SOURCES:%.c=$(BUILD)/$(1)/%.o)
	rm -f $$@
	$(AR) rcs $$@ $$^
$(call tls_test_objects,$(1))
$(call c_test_programs,$(1),$(TLS_UNIT_TESTS)): $(TLS_TEST_SUPPORT:%.c=$(BUILD)/$(1)/%.o) \
		$(C_TEST_SUPPORT:%.c=$(BUILD)/$(1)/%.o) $(BUILD)/$(1)/libcjazzytls.a $(BUILD)/$(1)/libcjazzypoll.a
	$(2) $(3) $$(filter %.o,$$^) $$(filter %.a,$$^) $$(TLS_TEST_WRAPS) -lcmocka $$(TLS_LIBRARIES) $$(C_LIBRARIES) $(5) \
		-o $$@
c-unit-tests-$(1): $(call c_test_programs,$(1),$(4))
$(BUILD)/$(1)/Examples/tls-%.o: C_FLAGS += $(TLS_INCLUDES)
$(BUILD)/$(1)/tls-echo-server: $(BUILD)/$(1)/Examples/tls-echo-server.o $(BUILD)/$(1)/libcjazzytls.a \
		$(BUILD)/$(1)/libcjazzypoll.a
	$(2) $(3) $$^ $$(TLS_LIBRARIES) $$(C_LIBRARIES) $(5) -o $$@
$(BUILD)/$(1)/Tests/Integration/servers/%.o: C_FLAGS += $(TLS_INCLUDES)
$(BUILD)/$(1)/probe-server: $(PROBE_SOURCES:%.c=$(BUILD)/$(1)/%.o) $(BUILD)/$(1)/libcjazzytls.a \
		$(BUILD)/$(1)/libcjazzypoll.a
	$(2) $(3) $$^ $$(TLS_LIBRARIES) $$(C_LIBRARIES) $(5) -o $$@
c-programs-$(1): $(BUILD)/$(1)/tls-echo-server $(BUILD)/$(1)/probe-server
endef

$(eval $(call tls_build,release,$(RELEASE_CC),$(RELEASE_FLAGS),$(TLS_UNIT_TESTS)))
$(eval $(call tls_build,sanitized,$(CLANG),$(SANITIZED_FLAGS),$(TLS_UNIT_TESTS)))
$(eval $(call tls_build,gcc,$(GCC),$(GCC_FLAGS),$(TLS_UNIT_TESTS)))
$(eval $(call tls_build,tsan,$(CLANG),$(TSAN_FLAGS),$(TLS_THREAD_TESTS),$(TSAN_LIBRARIES)))

$(TLS_SOURCES:%.c=$(BUILD)/release/%.o): $(BUILD)/release/.compiler

# The first number of the shared library's version changes when programs must be rebuilt.
TLS_ABI_VERSION := 1

# It has to find all that it needs in the core's shared library, which shows what is public there.
SHARED_TLS := $(BUILD)/release/$(call shared_file,cjazzytls)
$(SHARED_TLS): $(TLS_SOURCES:%.c=$(BUILD)/release/%.o) $(SHARED_CORE)
	$(RELEASE_CC) $(call shared_flags,cjazzytls,$(TLS_ABI_VERSION)) $^ $(TLS_LIBRARIES) $(C_LIBRARIES) -o $@

.PHONY: library-tls
library-tls: C_FLAGS += -Wno-error
library-tls: library $(BUILD)/release/libcjazzytls.a $(SHARED_TLS)

define TLS_PKG_CONFIG_FILE
prefix=$(PREFIX)
libdir=$${prefix}/lib
includedir=$${prefix}/include

Name: jazzytls
Description: TLS for the WebSocket server library cjazzypoll, by OpenSSL
Version: $(VERSION)
Requires: cjazzypoll = $(VERSION)
Requires.private: openssl >= 3.0
Libs: -L$${libdir} -lcjazzytls
Libs.private: -pthread
Cflags: -I$${includedir}
endef
export TLS_PKG_CONFIG_FILE

# Besides the core, which is installed with it. OpenSSL's headers have to be there.
.PHONY: install-tls
install-tls: library-tls install
	install -m 644 $(BUILD)/release/libcjazzytls.a $(DESTDIR)$(PREFIX)/lib
	$(call install_shared,cjazzytls,$(TLS_ABI_VERSION))
	install -m 644 Sources/CJazzyTLS/include/jazzy/tls.h $(DESTDIR)$(PREFIX)/include/jazzy
	@echo "$$TLS_PKG_CONFIG_FILE" > $(DESTDIR)$(PREFIX)/lib/pkgconfig/jazzytls.pc
