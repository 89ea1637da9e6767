/* The listening sockets of one loop, and how connections come from them. On the loop's thread, or before it runs. */
#ifndef JAZZY_LOOP_ACCEPTOR_H
#define JAZZY_LOOP_ACCEPTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "codec/address.h"
#include "jazzy/server.h"
#include "loop/loop.h"

typedef struct jz_listener {
    int descriptor; /* -1 where somebody else has shut it down */
    jz_listen_options options;
    bool hands_over;   /* to all loops in turn, because it is the only one of its address */
    bool is_inherited; /* from whoever started this process, and may have it, too */
    char *unix_path;   /* removed with it; NULL where it has none */
} jz_listener;

/* What an acceptor calls. */
typedef struct jz_acceptor_owner {
    void *context;
    /* Takes the socket over. */
    void (*accepted)(void *context, const jz_listener *listener, int descriptor, const jz_address *address);
    /* No descriptors or no memory left, an errno says which: clients wait for a while. Told once in ten seconds. */
    void (*exhausted)(void *context, int reason);
    /* Somebody else has shut the socket down. */
    void (*lost)(void *context, const jz_listener *listener);
} jz_acceptor_owner;

typedef struct jz_acceptor {
    jz_loop *loop;
    jz_acceptor_owner owner;
    jz_listener listeners[JZ_MAX_LISTENERS];
    size_t count;
    bool is_paused;
    jz_timer timer; /* until accepting is tried again: then call jz_acceptor_resume */
    uint64_t last_exhaustion_told_ms;
} jz_acceptor;

void jz_acceptor_init(jz_acceptor *acceptor, jz_loop *loop, jz_acceptor_owner owner);

/* Accepts from a socket that listens, from here on, and owns its path. On failure the socket is closed. */
jz_status jz_acceptor_add(jz_acceptor *acceptor, const jz_listener *listener, jz_error *error);

/* Closes the listeners beyond the first `count`. Clients that the kernel keeps and that were not accepted are reset. */
void jz_acceptor_keep(jz_acceptor *acceptor, size_t count);

/* Whether this is the token of a listener; if so, accepts what waits there. */
bool jz_acceptor_ready(jz_acceptor *acceptor, uint64_t token);

/* Descriptors or memory came free: accepting goes on if it was paused. */
void jz_acceptor_resume(jz_acceptor *acceptor);

/* Accepts what the kernel keeps, and then listens no more. `backlog`: about how many it keeps. Returns whether it had
 * listened. */
bool jz_acceptor_finish(jz_acceptor *acceptor, uint32_t backlog);

#endif
