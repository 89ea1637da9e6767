/*
 * A server with one loop and one WebSocket route, "/room/:id". Its upgrade hook stores the handshakes that it gets, and
 * does what the test says; its handler writes a journal.
 */
#ifndef JAZZY_TESTS_HOOKED_H
#define JAZZY_TESTS_HOOKED_H

#include <pthread.h>
#include <stdatomic.h>

#include "client.h"
#include "journal.h"

enum { HOOKED_QUESTIONS = 16, HOOKED_LOG_SIZE = 4096 };

typedef struct hooked {
    journal journal; /* first, so that the route's context is both */
    jz_server *server;
    uint16_t port;
    /* Runs on the loop, and asserts nothing; NULL does not answer. */
    void (*ask)(struct hooked *hooked, jz_handshake handshake, const jz_request *request);
    const void *context; /* of `ask` */
    bool has_no_hook;    /* clients are let in without being asked about */
    jz_handshake handshakes[HOOKED_QUESTIONS];
    atomic_size_t questions;
    jz_handshake ended[HOOKED_QUESTIONS];
    atomic_size_t ends;
    atomic_size_t opens_at_first_end;
    /* Runs on the loop, and asserts nothing, when a question is over. */
    void (*end)(struct hooked *hooked, jz_handshake handshake);
    atomic_int answer; /* the result of `ask`, a jz_answer_status */
    _Atomic(void *) state_when_opened;
    pthread_mutex_t lock;
    char log[HOOKED_LOG_SIZE]; /* guarded by `lock`: lines, each with an LF */
    size_t log_length;
} hooked;

/*
 * `options` NULL takes serving_options(1), `route` NULL the defaults; the hook and release_state are set here. `hooked`
 * must be all zero, except for what it should do.
 */
void hooked_start(hooked *hooked, const jz_options *options, const jz_route_options *route);

/* Destroys the server, which stops it. */
void hooked_finish(hooked *hooked);

/* Connects, and sends the request. */
void hooked_request(hooked *hooked, test_client *client, const char *request);

/* Waits until that question was asked. */
jz_handshake hooked_question(hooked *hooked, size_t number);

/* How often clients were refused for this reason. */
uint64_t hooked_refused(const hooked *hooked, jz_refusal refusal);

/* Whether the log says this. */
bool hooked_has_logged(hooked *hooked, const char *words);

/* The states of these tests count how often they were released. */
typedef atomic_size_t hooked_state;

/* A response head that was just taken, the first of its client, has this line. */
void hooked_expect_line(const test_client *client, const char *line);

#endif
