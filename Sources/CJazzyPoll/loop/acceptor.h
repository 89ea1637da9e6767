/* The listening sockets of one loop, and accepting connections from them. On the loop's thread, or before it runs. */
#ifndef JAZZY_LOOP_ACCEPTOR_H
#define JAZZY_LOOP_ACCEPTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/address.h"
#include "jazzy/server.h"
#include "loop/loop.h"

typedef struct jz_listener {
    int descriptor; /* -1: another process has shut it down */
    jz_listen_options options;
    bool hands_over;   /* to all loops in turn, because only this loop has a listener on this address */
    bool is_inherited; /* from the parent process, which may have it, too */
    char *unix_path;   /* the file to remove at the end; NULL: none */
} jz_listener;

/* The callbacks of an acceptor. */
typedef struct jz_acceptor_owner {
    void *context;
    /* Takes ownership of the socket. */
    void (*accepted)(void *context, const jz_listener *listener, int descriptor, const jz_address *address);
    /* No descriptors or no memory left (an errno): accepting pauses. Called at most every ten seconds. */
    void (*exhausted)(void *context, int reason);
    /* Another process has shut the socket down. */
    void (*lost)(void *context, const jz_listener *listener);
} jz_acceptor_owner;

/* How many connections of a listener are accepted before the poll is asked again. */
typedef struct jz_batch {
    uint32_t size; /* 0: the last one was too large */
    uint64_t turn; /* the loop's iteration that it was for */
} jz_batch;

typedef struct jz_acceptor {
    jz_loop *loop;
    jz_acceptor_owner owner;
    jz_listener listeners[JZ_MAX_LISTENERS];
    jz_batch batches[JZ_MAX_LISTENERS];
    size_t count;
    bool is_paused;
    jz_timer timer; /* until accepting is tried again: then call jz_acceptor_resume */
    uint64_t last_exhaustion_told_ms;
} jz_acceptor;

void jz_acceptor_init(jz_acceptor *acceptor, jz_loop *loop, jz_acceptor_owner owner);

/* Takes ownership of a listening socket and of its path, and accepts from it. On failure the socket is closed. */
jz_status jz_acceptor_add(jz_acceptor *acceptor, const jz_listener *listener, jz_error *error);

/* Closes all listeners but the first `count`. Queued clients that were not accepted are reset. */
void jz_acceptor_keep(jz_acceptor *acceptor, size_t count);

/* Whether this is the token of a listener; if so, accepts the connections that wait there. */
bool jz_acceptor_ready(jz_acceptor *acceptor, uint64_t token);

/* Descriptors or memory may be available again: resumes accepting if it was paused. */
void jz_acceptor_resume(jz_acceptor *acceptor);

/*
 * Accepts the connections that the kernel has queued, about `backlog` at most, and then stops listening. Returns
 * whether it had listened.
 */
bool jz_acceptor_finish(jz_acceptor *acceptor, uint32_t backlog);

#endif
