# Benchmarks. `make bench` measures; with QUICK=1 it only sees that everything works.

BENCH_PACKAGES := zlib1g-dev libisal-dev libssl-dev openssl python3 python3-venv
BENCH := PYTHONPATH=Benchmarks $(BENCH_VENV)/bin/python -m runner
# Further servers to compare with: PEER_ARGUMENTS="--peer NAME=COMMAND", where {port} in the command is the port.
PEER_ARGUMENTS ?=
ONLY ?=
ROUNDS ?=

# Everything that has goals, and one table of them all. With ONLY, workloads of servers alone.
BENCH_PARTS := bench-servers $(if $(ONLY),,bench-tails bench-redis bench-resume bench-scrape bench-instruction-goals)

.PHONY: bench bench-servers bench-tails
bench:
	@failed=""; for part in $(BENCH_PARTS); do $(MAKE) $$part || failed="$$failed $$part"; done; \
		$(MAKE) bench-goals KEEP=$$([ "$${failed}$(QUICK)$(ONLY)" ] || echo yes) && [ -z "$$failed" ] || { echo "failed:$$failed" >&2; exit 1; }
bench-servers: bench-programs
	@$(MAKE) $(if $(QUICK),quick-peers,peers)
	$(BENCH) --micro $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY)) $(if $(ROUNDS),--rounds $(ROUNDS)) --peers Benchmarks/peers/peers.json $(PEER_ARGUMENTS)

# The slowest echoes: what interrupts a core for a millisecond decides over them. REAL_TIME=1 lets no other program do so.
bench-tails: bench-programs
	$(if $(REAL_TIME),Scripts/in-real-time env) $(BENCH) --tails --output Benchmarks/results/tails $(if $(QUICK),--quick) \
		$(if $(ONLY),--only $(ONLY)) $(if $(ROUNDS),--rounds $(ROUNDS))

.PHONY: bench-programs
bench-programs: swift-toolchain
	@Scripts/install-packages $(BENCH_PACKAGES)
	@$(MAKE) $(BENCH_VENV)/.installed $(BUILD)/release/bench-floor $(BUILD)/release/bench-load $(BUILD)/release/bench-echo-c \
		$(BUILD)/release/bench-micro $(BUILD)/release/bench-floor-tls $(BUILD)/release/bench-echo-tls \
		$(BUILD)/bench-tls/certificate.pem
	@$(MAKE) JAZZY_DEFLATE=isal BUILD=$(BUILD)/isal $(BUILD)/isal/release/bench-echo-c
	swift build $(call swift_package,Benchmarks,.build,-c release $(SWIFT_FLAGS)) --product bench-echo-swift

# Programs with TLS. $(1) name, $(2) sources
define bench_tls_program
$(BUILD)/release/$(1): $(2:%.c=$(BUILD)/release/%.o)
	$(RELEASE_CC) $(RELEASE_FLAGS) $$^ $$(TLS_LIBRARIES) $$(C_LIBRARIES) -o $$@
endef
$(eval $(call bench_tls_program,bench-floor-tls,$(wildcard Benchmarks/bench-floor-tls/*.c Benchmarks/common-tls/*.c) \
	Benchmarks/bench-floor/floor.c Benchmarks/bench-floor/sockets.c))
$(eval $(call bench_tls_program,bench-echo-tls,Benchmarks/bench-echo-tls/main.c Benchmarks/bench-echo-c/routes.c))
$(BUILD)/release/bench-echo-tls: $(BUILD)/release/libcjazzytls.a
$(BUILD)/release/bench-echo-tls $(BUILD)/release/bench-floor-tls: $(BUILD)/release/libcjazzypoll.a
$(BUILD)/release/Benchmarks/bench-echo-tls/%.o: C_FLAGS += -ISources/CJazzyTLS/include
$(BUILD)/release/Benchmarks/bench-floor-tls/%.o: C_FLAGS += $(TLS_CFLAGS)

# The load, in every build. $(1) build, $(2) compiler, $(3) its flags, $(4) more libraries
define bench_load
$(BUILD)/$(1)/bench-load: $(patsubst %.c,$(BUILD)/$(1)/%.o,$(wildcard Benchmarks/bench-load/*.c Benchmarks/common-tls/*.c))
	$(2) $(3) $$^ $$(TLS_LIBRARIES) $$(C_LIBRARIES) $(4) -o $$@
$(BUILD)/$(1)/Benchmarks/common-tls/%.o $(BUILD)/$(1)/Benchmarks/bench-load/%.o: C_FLAGS += $(TLS_CFLAGS)
c-programs-$(1): $(BUILD)/$(1)/bench-load
endef
$(eval $(call bench_load,release,$(RELEASE_CC),$(RELEASE_FLAGS)))
$(eval $(call bench_load,sanitized,$(CLANG),$(SANITIZED_FLAGS)))
$(eval $(call bench_load,gcc,$(GCC),$(GCC_FLAGS)))
$(eval $(call bench_load,tsan,$(CLANG),$(TSAN_FLAGS),$(TSAN_LIBRARIES)))

# Of every server with TLS.
$(BUILD)/bench-tls/certificate.pem:
	@mkdir -p $(@D)
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout $(@D)/key.pem -out $@ 2>$(@D)/log || \
		{ cat $(@D)/log >&2; exit 1; }

.PHONY: quick-peers
quick-peers:
	@Scripts/install-packages nodejs node-ws
	@$(MAKE) $(PEERS)/ws

# What the latest results say about each goal: Benchmarks/results/goals.md. With KEEP=1, as behind a run of everything,
# they are kept, and stand beside those of the two runs to come.
.PHONY: bench-goals
bench-goals:
	@python3 Benchmarks/goals.py $(if $(QUICK),--quick) $(if $(KEEP),--keep)

# Tests the benchmark runner, and runs the benchmarks briefly: figures are not checked.
.PHONY: test-bench
test-bench: $(VENV)/.installed
	PYTHONPATH=Benchmarks $(PYTHON) -m pytest -q Benchmarks/runner/tests Benchmarks/redis_runner/tests
	@rm -f Benchmarks/results/quick* Benchmarks/results/*/quick*
	@$(MAKE) bench QUICK=1 SWIFT_FLAGS="$(SWIFT_STRICT)"
	python3 -m json.tool Benchmarks/results/quick.json /dev/null
	test -s Benchmarks/results/quick.md && test -s Benchmarks/results/quick.svg
	python3 -m json.tool Benchmarks/results/tails/quick.json /dev/null
	python3 -m json.tool Benchmarks/results/redis/quick.json /dev/null
	test -s Benchmarks/results/redis/quick.md && test -s Benchmarks/results/redis/quick-capacity.html
	for part in resume scrape instructions; do python3 -m json.tool Benchmarks/results/quick-$$part.json /dev/null || exit 1; done
	test -s Benchmarks/results/quick-goals.md
	@[ ! Benchmarks/results/runs.json -nt Benchmarks/results/quick.md ] || { echo "a quick run was kept among those of everything" >&2; exit 1; }

# --- The codec and the session, without sockets -----------------------------------------------------------------------

# The cost of each part on this machine: `make bench-micro ARGUMENTS="--filter UTF-8"`.
.PHONY: bench-micro
bench-micro:
	@Scripts/install-packages zlib1g-dev libc6-dev
	@$(MAKE) $(BUILD)/release/bench-micro
	$(BUILD)/release/bench-micro $(ARGUMENTS)

# --- The page with metrics --------------------------------------------------------------------------------------------

# What a scrape takes of its loop, beside up to 18,000 connections: a minute; Benchmarks/results/scrape.md. With QUICK=1
# seconds, only to see that it works.
.PHONY: bench-scrape
bench-scrape: $(BUILD)/release/probe-server
	python3 Benchmarks/scrape.py $< Benchmarks/results/$(if $(QUICK),quick-)scrape.md $(if $(QUICK),--quick)

# --- Clients that come back at once -----------------------------------------------------------------------------------

# How long 100,000 of them need until each has what it has missed: a minute; Benchmarks/results/resume.md. With QUICK=1
# seconds, only to see that it works.
$(eval $(call c_program,release,$(RELEASE_CC),$(RELEASE_FLAGS),bench-resume,$(wildcard Benchmarks/bench-resume/*.c)))
.PHONY: bench-resume
bench-resume: $(BUILD)/release/bench-resume
	python3 Benchmarks/resume.py $< Benchmarks/results/$(if $(QUICK),quick-)resume.md $(if $(QUICK),--quick)

# --- A guard on the instructions that a message costs -----------------------------------------------------------------

# By Debian's gcc, which the distribution pins, with the flags of a release. No sockets and no threads take part, so
# that every run is the same: where a whole server is counted, the linker leads its system calls to kernel.c. With
# TOLERANCE=1 every scenario has to be within 1 % of baseline.json.
TOLERANCE ?= 3
INSTRUCTIONS_PACKAGES := zlib1g-dev libssl-dev gcc libc6-dev python3 valgrind
INSTRUCTIONS_SOURCES := $(wildcard Benchmarks/common/*.c Benchmarks/bench-instructions/*.c)
INSTRUCTIONS_FOLDER := Benchmarks/bench-instructions
INSTRUCTIONS_COMPARE := python3 $(INSTRUCTIONS_FOLDER)/compare.py --compiler $(GCC) --tolerance $(TOLERANCE) \
	$(BUILD)/instructions/bench-instructions
INSTRUCTIONS_TLS_FOLDER := Benchmarks/bench-instructions-tls
# Without OpenSSL's own instructions, which depend on its version.
INSTRUCTIONS_TLS_COMPARE := python3 $(INSTRUCTIONS_FOLDER)/compare.py --compiler $(GCC) --tolerance $(TOLERANCE) \
	--sources Sources/ --baseline $(INSTRUCTIONS_TLS_FOLDER)/baseline.json $(BUILD)/instructions/bench-instructions-tls
INSTRUCTIONS_CALLS := listen accept4 recv send sendmsg shutdown close getsockopt setsockopt getsockname getpeername \
	epoll_ctl epoll_wait clock_gettime time getentropy

$(eval $(call c_build,instructions,$(GCC),$(RELEASE_FLAGS)))
$(eval $(call c_program,instructions,$(GCC),$(RELEASE_FLAGS),bench-instructions,$(INSTRUCTIONS_SOURCES)))
$(BUILD)/instructions/bench-instructions: C_LIBRARIES += $(INSTRUCTIONS_CALLS:%=-Wl,--wrap=%)

$(eval $(call tls_build,instructions,$(GCC),$(RELEASE_FLAGS)))
$(BUILD)/instructions/bench-instructions-tls: $(patsubst %.c,$(BUILD)/instructions/%.o,$(wildcard \
		$(INSTRUCTIONS_TLS_FOLDER)/*.c) $(INSTRUCTIONS_FOLDER)/kernel.c Benchmarks/common/client_frame.c) $(BUILD)/instructions/libcjazzytls.a \
		$(BUILD)/instructions/libcjazzypoll.a
	$(GCC) $(RELEASE_FLAGS) $^ $(INSTRUCTIONS_CALLS:%=-Wl,--wrap=%) $(TLS_LIBRARIES) $(C_LIBRARIES) -o $@
$(BUILD)/instructions/$(INSTRUCTIONS_TLS_FOLDER)/%.o: C_FLAGS += $(TLS_INCLUDES)

# Fails where a scenario takes more instructions than baseline.json says, by over 3 % or TOLERANCE.
.PHONY: bench-instructions bench-instructions-baseline test-instructions
bench-instructions:
	@Scripts/install-packages $(INSTRUCTIONS_PACKAGES)
	@$(MAKE) test-instructions
test-instructions: $(BUILD)/instructions/bench-instructions $(BUILD)/instructions/bench-instructions-tls
	python3 -m unittest discover --quiet --start-directory $(INSTRUCTIONS_FOLDER)
	$(INSTRUCTIONS_COMPARE)
	$(INSTRUCTIONS_TLS_COMPARE)

# What goals are about, counted for the table of all goals; it is the same in a quick run.
.PHONY: bench-instruction-goals
bench-instruction-goals:
	@Scripts/install-packages $(INSTRUCTIONS_PACKAGES)
	@$(MAKE) $(BUILD)/instructions/bench-instructions
	$(INSTRUCTIONS_COMPARE) --goals Benchmarks/results/$(if $(QUICK),quick-)instructions.json

# To be committed together with the change that is the reason.
bench-instructions-baseline:
	@Scripts/install-packages $(INSTRUCTIONS_PACKAGES)
	@$(MAKE) $(BUILD)/instructions/bench-instructions $(BUILD)/instructions/bench-instructions-tls
	$(INSTRUCTIONS_COMPARE) --update
	$(INSTRUCTIONS_TLS_COMPARE) --update
