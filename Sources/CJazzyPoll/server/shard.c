#include "shard.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../loop/report.h"
#include "../loop/socket.h"
#include "errand.h"
#include "server.h"

enum {
    ACCEPTS_PER_TURN = 256,
    ACCEPT_PAUSE_MS = 100,
    EXHAUSTION_LOG_PAUSE_MS = 10000,
};

static const uint64_t listener_token = UINT64_MAX - 1;

_Thread_local jz_shard *jz_current_shard = NULL;

static void take_ready(void *context, uint64_t token, unsigned what);
static void take_letter(void *context, jz_letter *letter);
static void take_expired(void *context, jz_timer *timer);
static bool end_turn(void *context);

jz_status jz_shard_init(jz_shard *shard, jz_server *server, uint8_t number, uint32_t first_generation, jz_error *error)
{
    *shard = (jz_shard){.server = server, .listener = -1};
    jz_topics_init(&shard->topics);
    shard->handle_prefix = (uint16_t)(server->number << JZ_LOOP_BITS | number);
    if (!jz_slots_init(&shard->slots, first_generation))
        return jz_report_system(error, ENOMEM, "create an event loop");
    jz_loop_owner owner = {
        .context = shard, .ready = take_ready, .letter = take_letter, .expired = take_expired, .end_of_turn = end_turn};
    jz_status status = jz_loop_init(&shard->loop, owner, server->options.receive_buffer_size, error);
    if (status != JZ_OK)
        jz_slots_destroy(&shard->slots);
    return status;
}

void jz_shard_stop_listening(jz_shard *shard)
{
    if (shard->listener < 0)
        return;
    jz_socket_close(shard->listener);
    shard->listener = -1;
    jz_timer_cancel(&shard->loop.timers, &shard->accept_timer);
}

jz_status jz_shard_prepare(jz_shard *shard, jz_error *error)
{
    const jz_routes *routes = &shard->server->routes;
    free(shard->routes); /* of an attempt that failed */
    shard->routes = calloc(routes->count > 0 ? routes->count : 1, sizeof *shard->routes);
    if (shard->routes == NULL)
        return jz_report_system(error, ENOMEM, "run the server");
    for (size_t i = 0; i < routes->count; i++) {
        const jz_route *route = routes->routes[i];
        shard->routes[route->number] = (jz_shard_route){.settings = {.max_message_size = route->max_message_size,
                                                                     .deflate = route->deflate,
                                                                     .workspace = &shard->workspace},
                                                        .route = route};
    }
    return JZ_OK;
}

uint32_t jz_shard_destroy(jz_shard *shard)
{
    free(shard->routes);
    jz_compression_workspace_free(&shard->workspace);
    jz_shard_stop_listening(shard);
    jz_errand_discard_all(&shard->loop.mailbox);
    jz_buffer_free(&shard->cork);
    jz_loop_destroy(&shard->loop);
    jz_topics_destroy(&shard->topics);
    return jz_slots_destroy(&shard->slots);
}

jz_status jz_shard_listen(jz_shard *shard, const char *host, uint16_t port, uint16_t *bound_port, jz_error *error)
{
    const jz_options *options = &shard->server->options;
    bool shares_port = shard->server->shard_count > 1 && options->accepting == JZ_ACCEPTING_SHARED_PORT;
    jz_status status = jz_socket_listen(host, port, options->backlog, shares_port, &shard->listener, bound_port, error);
    if (status != JZ_OK)
        return status;
    if (!jz_poll_add(shard->loop.poll, shard->listener, JZ_READABLE, listener_token)) {
        int reason = errno;
        jz_shard_stop_listening(shard);
        return jz_report_system(error, reason, "watch the listening socket");
    }
    return JZ_OK;
}

/*
 * Out of descriptors or memory: the listener stays readable, so watching it would spin. Clients wait in the kernel's
 * backlog until a connection ends or the pause is over.
 */
static void pause_accepting(jz_shard *shard)
{
    uint64_t now = jz_clock_ms();
    if (shard->last_exhaustion_log_ms == 0 || now - shard->last_exhaustion_log_ms >= EXHAUSTION_LOG_PAUSE_MS) {
        shard->last_exhaustion_log_ms = now;
        jz_server_log(shard->server, JZ_LOG_ERROR,
                      "cannot accept connections: %s; new clients wait (raise the limit of open files, `ulimit -n`)",
                      errno == EMFILE || errno == ENFILE ? "no file descriptors left" : "out of memory");
    }
    shard->accepting_is_paused = true;
    jz_poll_change(shard->loop.poll, shard->listener, 0, listener_token);
    jz_timer_set(&shard->loop.timers, &shard->accept_timer, ACCEPT_PAUSE_MS);
}

void jz_shard_resume_accepting(jz_shard *shard)
{
    if (!shard->accepting_is_paused || shard->listener < 0)
        return;
    shard->accepting_is_paused = false;
    jz_timer_cancel(&shard->loop.timers, &shard->accept_timer);
    jz_poll_change(shard->loop.poll, shard->listener, JZ_READABLE, listener_token);
}

/* Keeps a connection, or hands it to the shard whose turn it is. */
static void place_connection(jz_shard *shard, int descriptor, const jz_address *address)
{
    jz_server *server = shard->server;
    jz_shard *target = shard;
    if (server->options.accepting == JZ_ACCEPTING_HAND_OVER) {
        target = &server->shards[shard->next_hand_over];
        shard->next_hand_over = (shard->next_hand_over + 1) % server->shard_count;
    }
    if (target == shard)
        jz_connection_accept(shard, descriptor, address);
    else
        jz_errand_hand_over(target, descriptor, address);
}

static void accept_connections(jz_shard *shard)
{
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        int descriptor;
        jz_address address;
        switch (jz_socket_accept(shard->listener, &descriptor, &address)) {
        case JZ_SOCKET_OK:
            place_connection(shard, descriptor, &address);
            break;
        case JZ_SOCKET_EXHAUSTED:
            pause_accepting(shard);
            return;
        case JZ_SOCKET_WOULD_BLOCK:
            return;
        default:
            break;
        }
    }
}

static void take_ready(void *context, uint64_t token, unsigned what)
{
    jz_shard *shard = context;
    if (token == listener_token) {
        accept_connections(shard);
        return;
    }
    jz_connection *connection = jz_slots_at(&shard->slots, (uint32_t)token & (JZ_MAX_SLOTS - 1));
    /* An earlier event of this turn may have ended the connection, and another may have its slot by now. */
    uint32_t generation = atomic_load_explicit(&connection->generation, memory_order_relaxed);
    if (generation == (uint32_t)(token >> JZ_SLOT_BITS) && connection->phase != JZ_PHASE_FREE)
        jz_connection_ready(shard, connection, what);
}

static void take_letter(void *context, jz_letter *letter)
{
    jz_errand_run(context, letter);
}

static jz_connection *connection_of_timer(jz_timer *timer)
{
    return (jz_connection *)((char *)timer - offsetof(jz_connection, timer));
}

static void take_expired(void *context, jz_timer *timer)
{
    jz_shard *shard = context;
    if (timer == &shard->accept_timer)
        jz_shard_resume_accepting(shard);
    else
        jz_connection_expired(shard, connection_of_timer(timer));
}

/* Flushes what was written to in this turn. Settling may call handlers, which may write to further connections. */
static void settle_dirty(jz_shard *shard)
{
    while (shard->dirty != NULL) {
        jz_connection *connection = shard->dirty;
        shard->dirty = connection->next_dirty;
        connection->is_dirty = false;
        if (connection->phase == JZ_PHASE_FREE)
            jz_slots_give_back(&shard->slots, connection);
        else
            jz_connection_settle(shard, connection);
    }
}

static void begin_stopping(jz_shard *shard)
{
    shard->is_stopping = true;
    jz_shard_stop_listening(shard);
    uint32_t slot_count = shard->slots.chunk_count * JZ_SLOTS_PER_CHUNK;
    for (uint32_t slot = 0; slot < slot_count; slot++) {
        jz_connection *connection = jz_slots_at(&shard->slots, slot);
        if (connection->phase != JZ_PHASE_FREE)
            jz_connection_stop(shard, connection);
    }
}

static bool end_turn(void *context)
{
    jz_shard *shard = context;
    settle_dirty(shard);
    jz_compression_workspace_trim(&shard->workspace);
    if (!shard->is_stopping && atomic_load(&shard->server->stop_is_requested)) {
        begin_stopping(shard);
        settle_dirty(shard);
    }
    return !shard->is_stopping || shard->connection_count > 0;
}

void jz_shard_run(jz_shard *shard)
{
    jz_shard *before = jz_current_shard;
    jz_current_shard = shard;
    if (end_turn(shard))
        jz_loop_run(&shard->loop);
    jz_current_shard = before;
}
