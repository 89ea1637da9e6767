# Jazzy for Swift. `make run` serves a home page, `make test` passes every test; both install what is missing.

# macOS comes with one of 2006.
ifneq ($(filter 3.%,$(MAKE_VERSION)),)
$(error GNU make 4 or later is needed, this is $(MAKE_VERSION). On macOS: brew install make, then call it gmake)
endif

PREFIX ?= /usr/local
DESTDIR ?=
BUILD ?= build
PORT ?= 8080
CLANG ?= clang
GCC ?= gcc
MAKEFLAGS += --no-builtin-rules --no-print-directory

.PHONY: help
help:
	@echo "make run [PORT=8080]         build in release mode and serve a home page at http://localhost:8080/"
	@echo "make cluster [N=4]           serve it by several processes, which share the chat through Redis; FRONT=haproxy"
	@echo "make test                    install what the tests need, and pass all of them"
	@echo "make fuzz [SECONDS=60]       look for inputs that break something, so long for each target"
	@echo "make bench [QUICK=1]         measure everything that has goals: Benchmarks/results/goals.md"
	@echo "make bench-redis [QUICK=1]   measure servers that share topics through Redis: Benchmarks/results/redis"
	@echo "make bench-micro             measure the codec and the session, without sockets"
	@echo "make bench-instructions      count the instructions of a message, and compare with the baseline"
	@echo "make lint                    check formatting, and who uses what"
	@echo "make format                  format the sources"
	@echo "make docs                    build the documentation as a web site: build/docs/site; make serve-docs shows it"
	@echo "make library                 build the C core: build/release/libcjazzypoll.a and .so (.dylib on macOS)"
	@echo "make install PREFIX=DIR      install the C core, its headers and its pkg-config file; CC=gcc-14 names the compiler"
	@echo "  JAZZY_DEFLATE=isal         to compress by ISA-L, in less time than zlib; with every target that builds the core"
	@echo "make install-tls PREFIX=DIR  the same, and the library of TLS, which needs OpenSSL 3"
	@echo "make install-redis PREFIX=DIR  the same as install, and Redis as a broker, which needs hiredis"
	@echo "make clean                   remove everything that was built"

include Scripts/core.mk
include Scripts/tls.mk
include Scripts/redis.mk
include Scripts/swift.mk
include Scripts/conformance.mk
include Scripts/driver.mk
include Scripts/test.mk
include Scripts/redis-proof.mk
include Scripts/kqueue.mk
include Scripts/fuzz.mk
include Scripts/other-deflate.mk
include Scripts/peers.mk
include Scripts/bench.mk
include Scripts/bench-redis.mk
include Scripts/cluster.mk
include Scripts/docs.mk
include Scripts/platforms.mk

.PHONY: run
run: swift-toolchain
	@Scripts/install-packages zlib1g-dev
	swift run $(call swift_package,Examples,.build,-c release) home --port $(PORT)

.PHONY: swift-toolchain
swift-toolchain:
	@command -v swift >/dev/null || { echo "Swift 6.3 or later is needed: see https://www.swift.org/install" >&2; exit 1; }

.PHONY: clean
clean:
	rm -rf $(BUILD) .build .build-sanitized .build-kqueue .build-static .build-isal .build-peers .build-hummingbird Examples/.build Benchmarks/.build
