# Benchmarks.

# --- The codec and the session, without sockets -----------------------------------------------------------------------

# What each piece costs here and now: `make bench-micro ARGUMENTS="--filter UTF-8"`.
.PHONY: bench-micro
bench-micro:
	@Scripts/install-packages zlib1g-dev libc6-dev
	@$(MAKE) $(BUILD)/release/bench-micro
	$(BUILD)/release/bench-micro $(ARGUMENTS)
