# Benchmarks of servers that share their topics through Redis. `make bench-redis` measures everything, with QUICK=1 it
# only sees that all works. ONLY=latency measures what begins so, CONNECTIONS=100000 is the size of the crowd.

BENCH_REDIS_PACKAGES := $(BENCH_PACKAGES) $(REDIS_PACKAGES) redis-server redis-tools valgrind binutils nginx-core libnginx-mod-nchan
BENCH_REDIS := PYTHONPATH=Benchmarks $(BENCH_VENV)/bin/python -m redis_runner
BENCH_REDIS_PROGRAMS := $(addprefix $(BUILD)/release/bench-redis-,load bare server)

.PHONY: bench-redis
bench-redis:
	@Scripts/install-packages $(BENCH_REDIS_PACKAGES)
	@$(MAKE) $(BENCH_VENV)/.installed $(BENCH_REDIS_PROGRAMS)
	$(BENCH_REDIS) $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(CONNECTIONS),--connections $(CONNECTIONS))

$(eval $(call bench_tls_program,bench-redis-load,$(wildcard Benchmarks/bench-redis-load/*.c Benchmarks/common-tls/*.c) \
	$(addprefix Benchmarks/bench-load/,connection.c fail.c frame_reader.c histogram.c process.c tls_client.c tls_records.c)))
$(BUILD)/release/Benchmarks/bench-redis-load/%.o: C_FLAGS += -IBenchmarks/bench-load $(TLS_CFLAGS)

$(BUILD)/release/bench-redis-bare: $(patsubst %.c,$(BUILD)/release/%.o,$(wildcard Benchmarks/bench-redis-bare/*.c) \
		Benchmarks/bench-floor/floor.c Benchmarks/bench-floor/sockets.c) $(BUILD)/release/libcjazzypoll.a
	$(RELEASE_CC) $(RELEASE_FLAGS) $^ $(REDIS_LIBRARIES) $(C_LIBRARIES) -o $@
$(BUILD)/release/Benchmarks/bench-redis-bare/%.o: C_FLAGS += -IBenchmarks/bench-floor $(REDIS_CFLAGS)

$(BUILD)/release/bench-redis-server: $(BUILD)/release/Benchmarks/bench-redis-server/main.o \
		$(BUILD)/release/libcjazzyredis.a $(BUILD)/release/libcjazzypoll.a
	$(RELEASE_CC) $(RELEASE_FLAGS) $^ $(REDIS_LIBRARIES) $(C_LIBRARIES) -o $@
$(BUILD)/release/Benchmarks/bench-redis-server/%.o: C_FLAGS += -ISources/CJazzyRedis/include
