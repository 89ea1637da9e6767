/* The scripts of histories, called on a real Redis as the broker calls them, without one. */
#ifndef JAZZY_REDIS_TESTS_KEPT_H
#define JAZZY_REDIS_TESTS_KEPT_H

#include "history/kept_reply.h"
#include "support/redis_server.h"

/* What is published by `kept_publish`. All zero but the text: the next sequence of an origin, and default bounds. */
typedef struct kept_message {
    const char *text;
    uint64_t origin;   /* 0: 1 */
    uint64_t sequence; /* 0: the next of the origin */
    uint64_t before;   /* 0: whichever */
    size_t keep;       /* 0: 100, 300,000 ms, 1 MiB */
    uint64_t for_ms;
    size_t bytes;
    bool is_binary;
} kept_message;

/* To the topic "news". `refusal` is "" unless it is an error. */
void kept_publish(const redis_server *redis, kept_message message);
void kept_try(const redis_server *redis, kept_message message, char refusal[128]);

/* What is fetched. Its messages as "text,text", oldest first. */
typedef struct kept_history {
    uint64_t epoch;
    uint64_t newest;
    char texts[4096];
    char refusal[128];
} kept_history;

kept_history kept_fetch(const redis_server *redis, kept_message bounds);

#endif
