#include "shard/shard.h"

#include <errno.h>
#include <stdlib.h>

#include "loop/report.h"
#include "shard/server.h"

_Thread_local jz_shard *jz_current_shard = NULL;

/* For a session 0 means no limit. */
static uint32_t max_frames_of(const jz_route *route)
{
    uint32_t max = route->options.max_frames_per_message;
    return max == JZ_UNLIMITED ? 0 : max;
}

jz_status jz_shard_prepare(jz_shard *shard, jz_error *error)
{
    const jz_routes *routes = &shard->server->routes;
    free(shard->routes); /* left by an attempt that failed */
    shard->routes = calloc(routes->count > 0 ? routes->count : 1, sizeof *shard->routes);
    if (shard->routes == NULL)
        return jz_report_system(error, ENOMEM, "run the server");
    for (size_t i = 0; i < routes->count; i++) {
        const jz_route *route = routes->routes[i];
        shard->routes[route->number] =
            (jz_shard_route){.settings = {.max_message_size = route->options.max_message_size,
                                          .max_frames = max_frames_of(route),
                                          .deflate = route->options.deflate,
                                          .workspace = &shard->workspace},
                             .route = route};
    }
    if (shard->server->is_measured && !jz_slot_times_init(&shard->slot_times))
        return jz_report_system(error, ENOMEM, "run the server");
    return JZ_OK;
}

void jz_shard_do_later(jz_shard *shard, jz_letter *letter)
{
    letter->next = NULL;
    *shard->later_end = letter;
    shard->later_end = &letter->next;
}

jz_letter *jz_shard_take_later(jz_shard *shard)
{
    jz_letter *letter = shard->later;
    if (letter != NULL)
        shard->later = letter->next;
    if (shard->later == NULL)
        shard->later_end = &shard->later;
    return letter;
}

jz_connection *jz_shard_connection_of(const jz_shard *shard, uint64_t token)
{
    jz_connection *connection = jz_slots_at(&shard->slots, (uint32_t)token & (JZ_MAX_SLOTS - 1));
    uint32_t generation = atomic_load_explicit(&connection->generation, memory_order_relaxed);
    return generation == (uint32_t)(token >> JZ_SLOT_BITS) && jz_connection_is_there(connection) ? connection : NULL;
}

void jz_shard_visit(jz_shard *shard, void (*visit)(jz_shard *shard, jz_connection *connection))
{
    uint32_t slot_count = shard->slots.chunk_count * JZ_SLOTS_PER_CHUNK;
    for (uint32_t slot = 0; slot < slot_count; slot++) {
        jz_connection *connection = jz_slots_at(&shard->slots, slot);
        if (jz_connection_is_there(connection))
            visit(shard, connection);
    }
}

bool jz_shard_count_address(jz_shard *shard, jz_connection *connection)
{
    jz_address peer = jz_connection_peer(connection);
    if (connection->counts_by_address || !jz_server_limits(shard->server, &peer))
        return true;
    connection->counts_by_address = jz_admission_count_address(&shard->server->admission, &peer);
    return connection->counts_by_address;
}

uint32_t jz_shard_close_timeout(const jz_shard *shard)
{
    if (shard->course < JZ_COURSE_STOPPING)
        return shard->server->options.close_timeout_ms;
    /* While the server stops the end timer decides. This time-out is set after it, so that it does not fire first. */
    uint64_t now = jz_clock_ms();
    uint64_t left = shard->ends_at_ms > now ? shard->ends_at_ms - now : 0;
    return (uint32_t)left + 2 * JZ_TICK_MS;
}

void jz_shard_finish(jz_shard *shard, jz_connection *connection, bool lingers)
{
    connection->phase = JZ_PHASE_FINISHING;
    connection->is_behind = false;
    connection->is_paused = false;
    connection->lingers = lingers;
    connection->timer.tag = 0;
    jz_timer_set(&shard->turn.loop.timers, &connection->timer, jz_shard_close_timeout(shard));
}
