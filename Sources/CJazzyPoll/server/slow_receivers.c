/* The connections with the most unsent bytes, found without asking their loops. */
#include <string.h>

#include "server/looks.h"

/* Those that were found so far, the slowest first. */
typedef struct ranking {
    jz_receiver_look *receivers;
    size_t count;
    size_t most;
} ranking;

static uint64_t least_of(const ranking *ranking)
{
    return ranking->count < ranking->most ? 0 : ranking->receivers[ranking->count - 1].unsent_bytes;
}

static void add(ranking *ranking, const jz_receiver_look *receiver)
{
    size_t place = ranking->count < ranking->most ? ranking->count++ : ranking->count - 1;
    for (; place > 0 && ranking->receivers[place - 1].unsent_bytes < receiver->unsent_bytes; place--)
        ranking->receivers[place] = ranking->receivers[place - 1];
    ranking->receivers[place] = *receiver;
}

static void add_time(const jz_shard *shard, uint32_t slot, jz_receiver_look *receiver)
{
    const jz_slot_time *time = shard->server->is_measured ? jz_slot_times_find(&shard->slot_times, slot) : NULL;
    if (time == NULL)
        return;
    uint32_t ticks = jz_tick_of(jz_clock_ms()) - atomic_load_explicit(&time->opened, memory_order_relaxed);
    receiver->is_timed = true;
    receiver->open_ms = (uint64_t)ticks * JZ_TICK_MS;
}

/* False: it ended while it was looked at. */
static bool look_at(const jz_shard *shard, const jz_connection *connection, uint32_t slot, jz_receiver_look *receiver)
{
    uint32_t generation = atomic_load_explicit(&connection->generation, memory_order_acquire);
    const jz_address peer = jz_connection_peer(connection);
    size_t number = atomic_load_explicit(&connection->number, memory_order_acquire);
    *receiver = (jz_receiver_look){
        .ws = jz_handle_make(shard->handle_prefix, slot, generation),
        .unsent_bytes = atomic_load_explicit(&connection->buffered_amount, memory_order_acquire),
        .loop = jz_handle_loop(jz_handle_make(shard->handle_prefix, slot, generation)),
    };
    jz_address_format(&peer, receiver->address, sizeof receiver->address);
    if (number != 0) {
        receiver->route = jz_routes_find_number(&shard->server->routes, number)->path;
        add_time(shard, slot, receiver);
    }
    atomic_thread_fence(memory_order_acquire);
    return atomic_load_explicit(&connection->generation, memory_order_relaxed) == generation;
}

static void rank(const jz_shard *shard, ranking *ranking)
{
    for (uint32_t first = 0; first < JZ_MAX_SLOTS; first += JZ_SLOTS_PER_CHUNK) {
        const jz_connection *chunk = jz_slots_at(&shard->slots, first);
        if (chunk == NULL)
            break;
        for (uint32_t i = 0; i < JZ_SLOTS_PER_CHUNK; i++) {
            jz_receiver_look receiver;
            if (atomic_load_explicit(&chunk[i].buffered_amount, memory_order_relaxed) > least_of(ranking) &&
                look_at(shard, &chunk[i], first + i, &receiver) && receiver.unsent_bytes > least_of(ranking))
                add(ranking, &receiver);
        }
    }
}

size_t jz_look_at_receivers(const jz_server *server, jz_receiver_look *receivers, size_t most)
{
    ranking ranking = {.receivers = receivers, .most = most};
    int state = atomic_load(&server->state);
    if (most == 0 || (state != JZ_SERVER_RUNNING && state != JZ_SERVER_STOPPED))
        return 0;
    for (uint32_t i = 0; i < server->shard_count; i++) {
        /* Most of the time nothing waits, and nobody has to walk through the connections. */
        if (jz_counted(&server->shards[i].turn.spare_unsent.held) > 0)
            rank(&server->shards[i], &ranking);
    }
    return ranking.count;
}
