# Benchmarks. `make bench` measures; with QUICK=1 it only sees that everything works.

BENCH_PACKAGES := zlib1g-dev python3 python3-venv
BENCH := PYTHONPATH=Benchmarks $(BENCH_VENV)/bin/python -m runner
# Further servers to compare with: PEER_ARGUMENTS="--peer NAME=COMMAND", where {port} in the command is the port.
PEER_ARGUMENTS ?=
ONLY ?=

.PHONY: bench
bench: bench-programs
	@$(MAKE) $(if $(QUICK),quick-peers,peers)
	$(BENCH) --micro $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY)) --peers Benchmarks/peers/peers.json $(PEER_ARGUMENTS)

.PHONY: bench-programs
bench-programs: swift-toolchain
	@Scripts/install-packages $(BENCH_PACKAGES)
	@$(MAKE) $(BENCH_VENV)/.installed $(BUILD)/release/bench-floor $(BUILD)/release/bench-load $(BUILD)/release/bench-echo-c \
		$(BUILD)/release/bench-micro
	swift build $(call swift_package,Benchmarks,.build,-c release $(SWIFT_FLAGS)) --product bench-echo-swift

.PHONY: quick-peers
quick-peers:
	@Scripts/install-packages nodejs node-ws
	@$(MAKE) $(PEERS)/ws

# Tests the benchmark runner, and runs the benchmarks briefly: figures are not checked.
.PHONY: test-bench
test-bench: $(VENV)/.installed
	PYTHONPATH=Benchmarks $(PYTHON) -m pytest -q Benchmarks/runner/tests
	@$(MAKE) bench QUICK=1 SWIFT_FLAGS="$(SWIFT_STRICT)"
	python3 -m json.tool Benchmarks/results/quick.json /dev/null
	test -s Benchmarks/results/quick.md && test -s Benchmarks/results/quick.svg

# --- The codec and the session, without sockets -----------------------------------------------------------------------

# The cost of each part on this machine: `make bench-micro ARGUMENTS="--filter UTF-8"`.
.PHONY: bench-micro
bench-micro:
	@Scripts/install-packages zlib1g-dev libc6-dev
	@$(MAKE) $(BUILD)/release/bench-micro
	$(BUILD)/release/bench-micro $(ARGUMENTS)

# --- A guard on the instructions that a message costs -----------------------------------------------------------------

# By Debian's gcc, which the distribution pins, with the flags of a release. No sockets and no threads take part, so
# that every run is the same: where a whole server is counted, the linker leads its system calls to kernel.c. With
# TOLERANCE=1 every scenario has to be within 1 % of baseline.json.
TOLERANCE ?= 3
INSTRUCTIONS_PACKAGES := zlib1g-dev gcc libc6-dev python3 valgrind
INSTRUCTIONS_SOURCES := $(wildcard Benchmarks/common/*.c Benchmarks/bench-instructions/*.c)
INSTRUCTIONS_FOLDER := Benchmarks/bench-instructions
INSTRUCTIONS_COMPARE := python3 $(INSTRUCTIONS_FOLDER)/compare.py --compiler $(GCC) --tolerance $(TOLERANCE) \
	$(BUILD)/instructions/bench-instructions
INSTRUCTIONS_CALLS := listen accept4 recv send sendmsg epoll_ctl epoll_wait clock_gettime time getentropy

$(eval $(call c_build,instructions,$(GCC),$(RELEASE_FLAGS)))
$(eval $(call c_program,instructions,$(GCC),$(RELEASE_FLAGS),bench-instructions,$(INSTRUCTIONS_SOURCES)))
$(BUILD)/instructions/bench-instructions: C_LIBRARIES += $(INSTRUCTIONS_CALLS:%=-Wl,--wrap=%)

# Fails where a scenario takes more instructions than baseline.json says, by over 3 % or TOLERANCE.
.PHONY: bench-instructions bench-instructions-baseline test-instructions
bench-instructions:
	@Scripts/install-packages $(INSTRUCTIONS_PACKAGES)
	@$(MAKE) test-instructions
test-instructions: $(BUILD)/instructions/bench-instructions
	python3 -m unittest discover --quiet --start-directory $(INSTRUCTIONS_FOLDER)
	$(INSTRUCTIONS_COMPARE)

# To be committed together with the change that is the reason.
bench-instructions-baseline:
	@Scripts/install-packages $(INSTRUCTIONS_PACKAGES)
	@$(MAKE) $(BUILD)/instructions/bench-instructions
	$(INSTRUCTIONS_COMPARE) --update
