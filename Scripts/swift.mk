# The programs in Swift. Examples and Benchmarks are packages of their own, which depend on the root by its path: none of
# their targets is in the way of a user's. All share one build folder, so that the library is compiled once.

SWIFT_FLAGS ?=
# Flags for our tests, not for users: their compiler may have warnings that ours does not. Packages of others cannot be
# built with these: where there are such, JAZZY_STRICT does the same, which our manifest reads.
SWIFT_STRICT := -Xswiftc -warnings-as-errors
HUMMINGBIRD_BUILD := .build-hummingbird
# Every trait but JazzyISAL: it would take zlib's place wherever something is compressed, and has tests of its own
# (other-deflate.mk).
SWIFT_TRAITS := JazzyLogging,JazzyMetrics,JazzyTracing,JazzyServiceLifecycle,JazzyRedisTLS
# The libraries with all that needs packages of others, in debug mode: the tests and the documentation share this build.
swift_libraries = JAZZY_STRICT=1 swift build --traits $(SWIFT_TRAITS) $(1)

# $(1) package, $(2) build folder, $(3) more arguments. SwiftPM would not see a file that is new in a package that this one
# depends on: it plans anew.
swift_package = --package-path $(1) --scratch-path $(2) --disable-build-manifest-caching $(3)

# $(1) build folder, $(2) more arguments
define swift_programs
swift build $(call swift_package,Examples,$(1),$(2))
swift build $(call swift_package,Benchmarks,$(1),$(2))
swift build $(call swift_package,.,$(1),$(2)) --product jazzy-top
endef

.PHONY: swift-programs
swift-programs: swift-toolchain
	$(call swift_programs,.build,-c release $(SWIFT_STRICT))
