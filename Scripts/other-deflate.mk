# The other engine that compresses, ISA-L (JAZZY_DEFLATE=isal), has the tests of all that has to do with compression: unit
# tests, conformance, the differential run and fuzzing, in a build of its own, where every message goes to the engine,
# however short. All else is tested with zlib.
#
#     make other-deflate

OTHER_DEFLATE_PACKAGES := libisal-dev
OTHER_DEFLATE_TESTS := $(wildcard Tests/CJazzyPollTests/session/test_*.c) \
	$(addprefix Tests/CJazzyPollTests/,output/test_publication.c behaviour/test_publish_options.c)
# Not fuzz_session, for which the bytes sent may not depend on how the input is split: ISA-L has been seen to compress a
# message in two ways, both of them right.
OTHER_DEFLATE_FUZZ := fuzz_decompress

.PHONY: other-deflate
other-deflate: $(VENV)/.installed
	@Scripts/install-packages $(OTHER_DEFLATE_PACKAGES)
	@$(MAKE) other-deflate-tests other-deflate-fuzz BUILD=$(BUILD)/isal VENV=$(VENV) JAZZY_DEFLATE=isal \
		OTHER_DEFLATE_FLAGS=-DJZ_WORTH_INFLATING=1

	@$(MAKE) other-deflate-swift

# The core as the package builds it with the trait: what its module of ISA-L lacks is seen here.
.PHONY: other-deflate-swift
other-deflate-swift: swift-toolchain
	JAZZY_STRICT=1 swift build --scratch-path .build-isal --traits JazzyISAL --target CJazzyPoll
	@nm .build-isal/debug/CJazzyPoll.build/session/isal_deflate.c.o | grep -q isal_deflate || \
		{ echo "the trait JazzyISAL does not bring ISA-L" >&2; exit 1; }

.PHONY: other-deflate-tests other-deflate-fuzz
other-deflate-tests:
	@$(MAKE) -j2 $(call c_test_programs,sanitized,$(OTHER_DEFLATE_TESTS)) $(BUILD)/sanitized/conformance \
		$(BUILD)/sanitized/session-driver
	@Scripts/run-tests $(BUILD)/sanitized/conformance $(call c_test_programs,sanitized,$(OTHER_DEFLATE_TESTS))
	JAZZY_C_BUILD=$(BUILD)/sanitized $(PYTHON) -m pytest -q Tests/Differential

other-deflate-fuzz:
	@$(MAKE) -j2 $(OTHER_DEFLATE_FUZZ:%=$(FUZZ_BUILD)/%)
	@$(MAKE) $(OTHER_DEFLATE_FUZZ:%=replay-%)
	@$(MAKE) -j2 SECONDS=10 $(OTHER_DEFLATE_FUZZ:%=run-%)
