#include "loop/acceptor.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "loop/count.h"
#include "loop/listening_socket.h"
#include "loop/report.h"
#include "loop/socket.h"

enum {
    ACCEPTS_PER_TURN = 256,
    ACCEPT_PAUSE_MS = 100,
    EXHAUSTION_TOLD_EVERY_MS = 10000,
};

/*
 * Listeners have the tokens from here downwards. Connections never have such tokens: slot and generation have fewer
 * bits.
 */
static const uint64_t first_token = UINT64_MAX - 1;

/* Closes a listening socket, and removes its file. */
static void end_listening(const jz_listener *listener)
{
    /* Before closing the socket: afterwards the file may belong to another program. */
    if (listener->unix_path != NULL)
        jz_socket_remove_file(listener->unix_path);
    free(listener->unix_path);
    /* A forked child may have it, too: clients would wait there in vain. But an inherited socket still belongs to
       others. */
    if (listener->is_inherited)
        jz_socket_close(listener->descriptor);
    else
        jz_socket_end(listener->descriptor);
}

void jz_acceptor_init(jz_acceptor *acceptor, jz_loop *loop, jz_acceptor_owner owner)
{
    *acceptor = (jz_acceptor){.loop = loop, .owner = owner};
}

jz_status jz_acceptor_add(jz_acceptor *acceptor, const jz_listener *listener, jz_error *error)
{
    size_t number = acceptor->count;
    if (number == JZ_MAX_LISTENERS) {
        end_listening(listener);
        return jz_report(error, JZ_STATUS_INVALID_STATE, "cannot listen: a server has at most %d listening sockets",
                         JZ_MAX_LISTENERS);
    }
    if (!jz_poll_add(acceptor->loop->poll, listener->descriptor, JZ_READABLE, first_token - number)) {
        int reason = errno;
        end_listening(listener);
        return jz_report_system(error, reason, "watch the listening socket");
    }
    acceptor->listeners[number] = *listener;
    acceptor->batches[number] = (jz_batch){0};
    acceptor->count++;
    return JZ_OK;
}

void jz_acceptor_keep(jz_acceptor *acceptor, size_t count)
{
    while (acceptor->count > count) {
        const jz_listener *listener = &acceptor->listeners[--acceptor->count];
        if (listener->descriptor < 0)
            continue;
        /* A socket that another process has open, too, would stay in the poll. */
        jz_poll_remove(acceptor->loop->poll, listener->descriptor);
        end_listening(listener);
    }
    if (count == 0)
        jz_timer_cancel(&acceptor->loop->timers, &acceptor->timer);
}

static void watch(const jz_acceptor *acceptor, unsigned interest)
{
    for (size_t i = 0; i < acceptor->count; i++) {
        if (acceptor->listeners[i].descriptor >= 0)
            jz_poll_change(acceptor->loop->poll, acceptor->listeners[i].descriptor, interest, first_token - i);
    }
}

/*
 * Another process that has the socket can shut it down for all: it would then be ready for ever. Its place in the array
 * stays, because tokens of other listeners depend on their places.
 */
static void lose_listener(jz_acceptor *acceptor, jz_listener *listener)
{
    acceptor->owner.lost(acceptor->owner.context, listener);
    jz_poll_remove(acceptor->loop->poll, listener->descriptor);
    jz_socket_close(listener->descriptor);
    /* The file stays: it may belong to another program by now, and does no harm. */
    free(listener->unix_path);
    *listener = (jz_listener){.descriptor = -1};
}

/*
 * Out of descriptors or memory: the listener stays readable, so watching it would spin. Clients wait in the kernel's
 * backlog until a connection ends or the pause is over.
 */
static void pause_accepting(jz_acceptor *acceptor, int reason)
{
    uint64_t now = acceptor->loop->now_ms;
    if (acceptor->last_exhaustion_told_ms == 0 || now - acceptor->last_exhaustion_told_ms >= EXHAUSTION_TOLD_EVERY_MS) {
        acceptor->last_exhaustion_told_ms = now;
        acceptor->owner.exhausted(acceptor->owner.context, reason);
    }
    acceptor->is_paused = true;
    watch(acceptor, 0);
    jz_timer_set(&acceptor->loop->timers, &acceptor->timer, ACCEPT_PAUSE_MS);
}

void jz_acceptor_resume(jz_acceptor *acceptor)
{
    if (!acceptor->is_paused)
        return;
    acceptor->is_paused = false;
    jz_timer_cancel(&acceptor->loop->timers, &acceptor->timer);
    watch(acceptor, JZ_READABLE);
}

/*
 * Accepting where nobody waits costs as much as accepting a connection, because the kernel makes the socket first, and
 * twenty times as much as asking the poll again. So one is accepted, and twice as many whenever the poll has reported
 * the listener in the iteration before, too.
 */
static uint32_t next_batch(const jz_acceptor *acceptor, jz_batch *batch)
{
    uint64_t turn = jz_counted(&acceptor->loop->times.turns);
    bool goes_on = batch->size > 0 && turn == batch->turn + 1;
    uint32_t twice = batch->size < ACCEPTS_PER_TURN / 2 ? batch->size * 2 : ACCEPTS_PER_TURN;
    *batch = (jz_batch){.size = goes_on ? twice : 1, .turn = turn};
    return batch->size;
}

/* Returns whether there may be more. */
static bool accept_connections(jz_acceptor *acceptor, jz_listener *listener, uint32_t most)
{
    if (listener->descriptor < 0)
        return false;
    for (uint32_t i = 0; i < most; i++) {
        int descriptor;
        jz_address address;
        switch (jz_socket_accept(listener->descriptor, &descriptor, &address)) {
        case JZ_SOCKET_OK:
            acceptor->owner.accepted(acceptor->owner.context, listener, descriptor, &address);
            break;
        case JZ_SOCKET_EXHAUSTED:
            pause_accepting(acceptor, errno);
            return false;
        case JZ_SOCKET_WOULD_BLOCK:
            return false;
        case JZ_SOCKET_ENDED:
            lose_listener(acceptor, listener);
            return false;
        default:
            break;
        }
    }
    return true;
}

bool jz_acceptor_ready(jz_acceptor *acceptor, uint64_t token)
{
    if (token <= first_token - JZ_MAX_LISTENERS)
        return false;
    size_t number = (size_t)(first_token - token);
    if (number >= acceptor->count)
        return true;
    jz_batch *batch = &acceptor->batches[number];
    if (!accept_connections(acceptor, &acceptor->listeners[number], next_batch(acceptor, batch)))
        batch->size = 0;
    return true;
}

bool jz_acceptor_finish(jz_acceptor *acceptor, uint32_t backlog)
{
    if (acceptor->count == 0)
        return false;
    /* Bounded, because clients may connect as fast as they are accepted. */
    uint32_t rounds = backlog / ACCEPTS_PER_TURN + 1;
    for (size_t i = 0; i < acceptor->count; i++) {
        for (uint32_t round = 0; round < rounds; round++) {
            if (!accept_connections(acceptor, &acceptor->listeners[i], ACCEPTS_PER_TURN))
                break;
        }
    }
    jz_acceptor_keep(acceptor, 0);
    return true;
}
