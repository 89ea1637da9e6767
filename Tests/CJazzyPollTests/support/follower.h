/*
 * Clients that follow a topic with history, lose their connections at random points, and come back with the position
 * that they have counted, or with one that is none; some ask for envelopes, which say the offset. What each gets is
 * checked against what all others get: under one epoch everybody has the same message at an offset.
 */
#ifndef JAZZY_TESTS_FOLLOWER_H
#define JAZZY_TESTS_FOLLOWER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client.h"
#include "jazzy/history.h"
#include "random.h"

#define FOLLOWED_TOPIC "feed/7"

enum { MOST_OFFSETS = 4096, MOST_EPOCHS = 64, MOST_VISITS = 1024, MOST_PADDING = 2600, MOST_SPOKEN = 200 };

/* What is published: who, the how manieth, and padding that follows from both. */
typedef struct stamp {
    uint32_t publisher; /* each connection of a follower is another one, and the publishers of each server */
    uint32_t number;    /* from 1 on */
} stamp;

enum { MOST_MESSAGE = sizeof(stamp) + MOST_PADDING };

/* Writes a message to MOST_MESSAGE bytes; returns its length. */
size_t stamp_write(stamp stamp, uint8_t *bytes);

/* Where there is something to follow. All of it is zero at first; it may be in memory that processes share. */
typedef struct stage {
    atomic_uint life;       /* counts the servers, each of which comes when the one before is gone */
    atomic_uint port;       /* of the server; 0: there is none now */
    atomic_bool is_silent;  /* this server publishes nothing more, */
    atomic_bool is_over;    /* and stays: none comes after it */
    _Atomic uint64_t end;   /* the topic's newest offset, by then or later */
    atomic_bool has_failed; /* a server did something wrong, which it has printed */
} stage;

/* What all followers have got. */
typedef struct ledger {
    const stage *stage;
    struct {
        _Atomic uint64_t epoch;            /* 0: there is none */
        atomic_uint life;                  /* of the server that has it */
        _Atomic uint64_t at[MOST_OFFSETS]; /* the stamp at each offset; 0: nobody has received it yet */
    } epochs[MOST_EPOCHS];
    atomic_size_t recovered, not_recovered; /* of those who came back to where they were */
    atomic_size_t forged;                   /* came back to somewhere else */
    atomic_size_t behind;                   /* were closed for being too slow */
    atomic_size_t lost;                     /* connections */
    const char *_Atomic wrong;
} ledger;

/* The first that says what is wrong is heard. */
void ledger_blame(ledger *ledger, const char *what);

/*
 * What is wrong with the order of the offsets under any epoch, if anything: a publisher's messages are not in the order
 * in which it has published them, or one is there twice.
 */
const char *ledger_check(const ledger *ledger, uint32_t publishers);

typedef struct follower {
    ledger *ledger;
    uint32_t first_publisher; /* the numbers from here on are its connections' */
    test_random random;
    test_client connection;
    bool has_position;
    jz_position position;
    unsigned life;      /* of the server that has told it */
    bool has_envelopes; /* in this visit: with "enveloped" in its query */
    uint32_t visits;
    uint32_t spoken; /* in this visit */
    uint32_t spoken_before;
} follower;

/* Comes and goes until it has everything, or something is wrong. */
void follower_follow(follower *follower);

#endif
