#include "accepting.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../loop/listening_socket.h"
#include "../loop/report.h"
#include "../loop/socket.h"
#include "errand.h"
#include "server.h"
#include "shard.h"

enum {
    ACCEPTS_PER_TURN = 256,
    ACCEPT_PAUSE_MS = 100,
    EXHAUSTION_LOG_PAUSE_MS = 10000,
};

/* The tokens of listeners go down from here. No connection has one of these: its slot and generation have fewer bits.
 */
static const uint64_t first_token = UINT64_MAX - 1;

/* Gives a socket up that listened, and the file through which it was reached. */
static void end_listening(const jz_listener *listener)
{
    /* Before it is closed: afterwards the file may be another's. */
    if (listener->unix_path != NULL)
        jz_socket_remove_file(listener->unix_path);
    free(listener->unix_path);
    /* A child of this process may have it, too: clients would wait there for nobody. An inherited one is others' still.
     */
    if (listener->is_inherited)
        jz_socket_close(listener->descriptor);
    else
        jz_socket_end(listener->descriptor);
}

jz_status jz_accepting_add(jz_shard *shard, const jz_listener *listener, jz_error *error)
{
    jz_accepting_state *accepting = &shard->accepting;
    size_t number = accepting->count;
    if (number == JZ_MAX_LISTENERS) {
        end_listening(listener);
        return jz_report(error, JZ_STATUS_INVALID_STATE, "cannot listen: a server has at most %d listening sockets",
                         JZ_MAX_LISTENERS);
    }
    if (!jz_poll_add(shard->turn.loop.poll, listener->descriptor, JZ_READABLE, first_token - number)) {
        int reason = errno;
        end_listening(listener);
        return jz_report_system(error, reason, "watch the listening socket");
    }
    accepting->listeners[number] = *listener;
    accepting->count++;
    return JZ_OK;
}

void jz_accepting_keep(jz_shard *shard, size_t count)
{
    jz_accepting_state *accepting = &shard->accepting;
    while (accepting->count > count) {
        const jz_listener *listener = &accepting->listeners[--accepting->count];
        if (listener->descriptor < 0)
            continue;
        /* A socket that is open elsewhere, too, would stay in the poll. */
        jz_poll_remove(shard->turn.loop.poll, listener->descriptor);
        end_listening(listener);
    }
    if (count == 0)
        jz_timer_cancel(&shard->turn.loop.timers, &accepting->timer);
}

static void watch(jz_shard *shard, unsigned interest)
{
    const jz_accepting_state *accepting = &shard->accepting;
    for (size_t i = 0; i < accepting->count; i++) {
        if (accepting->listeners[i].descriptor >= 0)
            jz_poll_change(shard->turn.loop.poll, accepting->listeners[i].descriptor, interest, first_token - i);
    }
}

/*
 * Whoever has the socket, too, can shut it down, for all who have it: it would be ready for ever. Its place stays, for
 * the others' tokens are counted from there.
 */
static void lose_listener(jz_shard *shard, jz_listener *listener)
{
    char name[24];
    snprintf(name, sizeof name, "descriptor %d", listener->descriptor);
    jz_server_log(
        shard->server, JZ_LOG_ERROR,
        "%s listens no more: the socket was shut down by somebody else who has it; no clients come from there "
        "until a server is made to listen anew",
        listener->unix_path != NULL ? listener->unix_path : name);
    jz_poll_remove(shard->turn.loop.poll, listener->descriptor);
    jz_socket_close(listener->descriptor);
    /* The file stays: it may be another's by now, and is in nobody's way. */
    free(listener->unix_path);
    *listener = (jz_listener){.descriptor = -1};
}

/*
 * Out of descriptors or memory: the listener stays readable, so watching it would spin. Clients wait in the kernel's
 * backlog until a connection ends or the pause is over.
 */
static void pause_accepting(jz_shard *shard, int reason)
{
    jz_accepting_state *accepting = &shard->accepting;
    uint64_t now = shard->turn.loop.now_ms;
    if (accepting->last_exhaustion_log_ms == 0 || now - accepting->last_exhaustion_log_ms >= EXHAUSTION_LOG_PAUSE_MS) {
        accepting->last_exhaustion_log_ms = now;
        jz_server_log(shard->server, JZ_LOG_ERROR,
                      "cannot accept connections: %s; new clients wait (raise the limit of open files, `ulimit -n`)",
                      reason == EMFILE || reason == ENFILE ? "no file descriptors left" : "out of memory");
    }
    accepting->is_paused = true;
    watch(shard, 0);
    jz_timer_set(&shard->turn.loop.timers, &accepting->timer, ACCEPT_PAUSE_MS);
}

void jz_accepting_resume(jz_shard *shard)
{
    if (!shard->accepting.is_paused)
        return;
    shard->accepting.is_paused = false;
    jz_timer_cancel(&shard->turn.loop.timers, &shard->accepting.timer);
    watch(shard, JZ_READABLE);
}

static void hand_over(jz_shard *shard, jz_shard *target, const jz_arrival *arrival)
{
    switch (jz_errand_hand_over(target, arrival)) {
    case JZ_SEND_DROPPED:
        jz_arrival_turn_away(shard, arrival);
        break;
    case JZ_SEND_CLOSED:
        jz_arrival_give_up(shard->server, arrival);
        break;
    default:
        break;
    }
}

/* Lets a connection in, and keeps it, or hands it to the shard whose turn it is. */
static void place(jz_shard *shard, const jz_listener *listener, jz_arrival *arrival)
{
    if (!jz_arrival_let_in(shard, arrival))
        return;
    jz_server *server = shard->server;
    jz_shard *target = shard;
    if (listener->hands_over) {
        uint32_t *next = &shard->accepting.next_hand_over;
        target = &server->shards[*next];
        *next = (*next + 1) % server->shard_count;
    }
    if (target == shard)
        jz_arrival_begin(shard, arrival);
    else
        hand_over(shard, target, arrival);
}

/* Returns whether there may be more. */
static bool accept_connections(jz_shard *shard, jz_listener *listener)
{
    if (listener->descriptor < 0)
        return false;
    for (int i = 0; i < ACCEPTS_PER_TURN; i++) {
        jz_arrival arrival;
        switch (jz_socket_accept(listener->descriptor, &arrival.descriptor, &arrival.address)) {
        case JZ_SOCKET_OK:
            place(shard, listener, &arrival);
            break;
        case JZ_SOCKET_EXHAUSTED:
            pause_accepting(shard, errno);
            return false;
        case JZ_SOCKET_WOULD_BLOCK:
            return false;
        case JZ_SOCKET_ENDED:
            lose_listener(shard, listener);
            return false;
        default:
            break;
        }
    }
    return true;
}

bool jz_accepting_ready(jz_shard *shard, uint64_t token)
{
    if (token <= first_token - JZ_MAX_LISTENERS)
        return false;
    size_t number = (size_t)(first_token - token);
    if (number < shard->accepting.count)
        accept_connections(shard, &shard->accepting.listeners[number]);
    return true;
}

void jz_accepting_finish(jz_shard *shard)
{
    jz_accepting_state *accepting = &shard->accepting;
    if (accepting->count == 0)
        return;
    /* Bounded, because clients may come as fast as they are accepted. */
    uint32_t rounds = shard->server->options.backlog / ACCEPTS_PER_TURN + 1;
    for (size_t i = 0; i < accepting->count; i++) {
        for (uint32_t round = 0; round < rounds && accept_connections(shard, &accepting->listeners[i]); round++)
            continue;
    }
    jz_accepting_keep(shard, 0);
    jz_server_listens_less(shard->server);
}
