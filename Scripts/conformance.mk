# The conformance suite: one program of the files in Tests/Conformance and the unit tests' support files. It is run with
# the unit tests, and the integration tests play its rows against servers.

C_CONFORMANCE := $(wildcard Tests/Conformance/*.c)

# $(1) build, $(2) compiler, $(3) its flags
define c_conformance
$(BUILD)/$(1)/conformance: $(C_CONFORMANCE:%.c=$(BUILD)/$(1)/%.o) $(BUILD)/$(1)/libsupport.a \
		$(BUILD)/$(1)/libcjazzypoll.a
	$(2) $(3) $$^ -lcmocka $$(C_LIBRARIES) -o $$@
c-unit-tests-$(1) c-programs-$(1): $(BUILD)/$(1)/conformance
endef

$(eval $(call c_conformance,release,$(RELEASE_CC),$(RELEASE_FLAGS)))
$(eval $(call c_conformance,sanitized,$(CLANG),$(SANITIZED_FLAGS)))
$(eval $(call c_conformance,gcc,$(GCC),$(GCC_FLAGS)))

# The same rows, over TCP, against a whole server whose reads are cut where the program wants it: recv is led to its
# pieces.c, and not to the support's.
C_CONFORMANCE_SERVED := $(wildcard Tests/Conformance/served/*.c) \
	$(filter-out %/main.c %/dump.c,$(wildcard Tests/Conformance/*.c)) $(filter-out %/receive_calls.c,$(C_TEST_SUPPORT))

# And over TLS.
C_CONFORMANCE_SECURED := Tests/Conformance/secured/main.c $(filter-out %/served/main.c,$(C_CONFORMANCE_SERVED)) \
	$(TLS_TEST_SUPPORT)

# $(1) build, $(2) compiler, $(3) its flags, $(4) more libraries
define c_conformance_of_servers
$(BUILD)/$(1)/conformance-served: $(C_CONFORMANCE_SERVED:%.c=$(BUILD)/$(1)/%.o) $(BUILD)/$(1)/libcjazzypoll.a
	$(2) $(3) $$^ $(C_TEST_WRAPS) -lcmocka $$(C_LIBRARIES) $(4) -o $$@
$(BUILD)/$(1)/Tests/Conformance/secured/%.o: C_FLAGS += $(TLS_INCLUDES) -ITests/CJazzyTLSTests -ITests/CJazzyPollTests
$(BUILD)/$(1)/conformance-secured: $(C_CONFORMANCE_SECURED:%.c=$(BUILD)/$(1)/%.o) \
		$(BUILD)/$(1)/libcjazzytls.a $(BUILD)/$(1)/libcjazzypoll.a
	$(2) $(3) $$^ $(C_TEST_WRAPS) -lcmocka $(TLS_LIBRARIES) $$(C_LIBRARIES) $(4) -o $$@
c-unit-tests-$(1): $(BUILD)/$(1)/conformance-served $(BUILD)/$(1)/conformance-secured
endef

$(eval $(call c_conformance_of_servers,sanitized,$(CLANG),$(SANITIZED_FLAGS)))
