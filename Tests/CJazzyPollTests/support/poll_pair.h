/* A poll, and a connected pair of sockets to be watched by it. */
#ifndef JAZZY_TEST_POLL_PAIR_H
#define JAZZY_TEST_POLL_PAIR_H

#include "loop/poll.h"

enum { OURS, PEERS };

typedef struct poll_pair {
    jz_poll *poll;
    int pair[2]; /* OURS is for being watched; -1: closed */
    jz_ready ready[8];
} poll_pair;

void poll_pair_start(poll_pair *f);
void poll_pair_finish(poll_pair *f);

/* What is ready now goes into `ready`; returns how many entries. */
int poll_pair_look(poll_pair *f);

/* The peer sends a byte. */
void poll_pair_write(const poll_pair *f);

/* Sends until there is no more room for output. */
void poll_pair_fill(const poll_pair *f);

#endif
