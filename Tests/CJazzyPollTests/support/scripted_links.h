/* A table of links. Their transport does as the test says, and records the calls. */
#ifndef JAZZY_TESTS_SCRIPTED_LINKS_H
#define JAZZY_TESTS_SCRIPTED_LINKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "jazzy/transport.h"
#include "transport/links.h"

enum { SCRIPTED_SLOT = 7, SCRIPTED_TOKEN = 99, SCRIPTED_CALLS = 256 };

typedef struct scripted_links {
    /* The behaviour of the next call of each function. */
    struct {
        bool has_no_memory;
        unsigned interest;
        unsigned may;
        jz_io io;
        size_t count; /* bytes received, or taken */
        bool has_more;
        const char *protocol;
        const char *failure;
        uint64_t ready_ns; /* what `ready` takes, by the stopped clock */
    } next;
    char calls[SCRIPTED_CALLS];
    jz_links links;
    jz_poll *poll;
    int ends[2]; /* of a socket: the channel's descriptor, and the peer's */
} scripted_links;

extern scripted_links scripted;

/* Its context is `&scripted`. */
extern const jz_transport scripted_transport;

/* The set-up and the tear-down of each test. */
int scripted_begin(void **state);
int scripted_end(void **state);

/* These were called since the last time, each with a space behind it. */
void scripted_expect_calls(const char *calls);

/* Adds a channel that is not opened yet; or one whose handshake is done. */
int scripted_add(void);
int scripted_add_ready(void);

jz_socket_result scripted_receive(int link, size_t *received, bool *has_more);

/* Whether this channel is pending in the next iteration. */
bool scripted_is_pending(int link);

/* What the poll tells now of the channel's descriptor: whether it is readable or writable; all of it. */
unsigned scripted_told(void);
unsigned scripted_told_of_all(void);

#endif
