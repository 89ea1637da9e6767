# Benchmarks. `make bench` measures; with QUICK=1 it only sees that everything works.

BENCH_PACKAGES := zlib1g-dev python3 python3-venv
BENCH := PYTHONPATH=Benchmarks $(BENCH_VENV)/bin/python -m runner
# Further servers to compare with: PEER_ARGUMENTS="--peer NAME=COMMAND", where {port} in the command is the port.
PEER_ARGUMENTS ?=
ONLY ?=

.PHONY: bench
bench: bench-programs
	$(if $(QUICK),@$(MAKE) $(PEERS)/ws,@$(MAKE) peers)
	$(BENCH) $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY)) --peers Benchmarks/peers/peers.json $(PEER_ARGUMENTS)

.PHONY: bench-programs
bench-programs: swift-toolchain
	@Scripts/install-packages $(BENCH_PACKAGES)
	@$(MAKE) $(BENCH_VENV)/.installed $(BUILD)/release/bench-floor $(BUILD)/release/bench-load $(BUILD)/release/bench-echo-c
	swift build -c release --product bench-echo-swift
