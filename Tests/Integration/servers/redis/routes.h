/*
 * The routes of the probe server of Redis.
 *
 * /topics takes commands, as texts that begin with a word and a topic, which is a word, too:
 *     subscribe TOPIC, unsubscribe TOPIC      answered by "!done TOPIC"
 *     live TOPIC                              "!live TOPIC yes" or "... no"
 *     publish TOPIC ANYTHING                  ANYTHING goes to the topic's other subscribers, as a text if the command
 *                                             was one, else as binary; "!sent", "!queued", "!dropped" or "!closed"
 *     announce TOPIC ANYTHING                 the same in the name of the server, so that the connection gets it, too
 *     resume TOPIC [POSITION]                 a topic with history, from there: the next message says how that begins,
 *                                             and all others are what is published
 * /redis-statistics answers each text with JSON.
 */
#ifndef REDIS_PROBE_ROUTES_H
#define REDIS_PROBE_ROUTES_H

#include <jazzy.h>
#include <jazzy/redis.h>

typedef struct probe {
    jz_server *server;
    jz_redis *redis;
    bool conceals_gaps;
} probe;

/* Sends "gap TOPIC" to the topic's subscribers here, in its place between the messages that Redis brought. */
void probe_tell_gap(void *context, const char *topic, size_t length);

jz_status probe_register_redis_routes(probe *probe, jz_error *error);

#endif
