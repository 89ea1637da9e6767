/*
 * Names of channels in Redis: the prefix and the topic. Two channels are no topic's: the one on which all processes of
 * a prefix listen (LOST_ANY), and each process's own, for its probe. They begin with the prefix, too, because Redis's
 * access lists name channels by a pattern such as jazzy:*. A topic that begins with 0xFF, which no text does, has one
 * more 0xFF, so that no topic is taken for them.
 *
 *     topic     jazzy:news               the topic "news"
 *     all       jazzy:\xFFJ*             all processes
 *     own       jazzy:\xFFJ<16 hex>      the process of this origin
 */
#ifndef JAZZY_REDIS_TOPICS_CHANNEL_H
#define JAZZY_REDIS_TOPICS_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JZ_REDIS_OWN_CHANNEL_MOST = 18, JZ_REDIS_TOPIC_EXTRA = 1 }; /* bytes behind the prefix; more than the topic */

/* How many bytes the channel of a topic has behind the prefix. */
size_t jz_redis_channel_length(const char *topic, size_t length);

/* Writes what follows the prefix. Returns where it ends. */
char *jz_redis_channel_write(char *to, const char *topic, size_t length);

/* The same for the channel of all processes, and for that of one process: at most JZ_REDIS_OWN_CHANNEL_MOST bytes. */
char *jz_redis_channel_write_all(char *to);
char *jz_redis_channel_write_own(char *to, uint64_t origin);

typedef enum jz_redis_channel_kind {
    JZ_REDIS_CHANNEL_TOPIC,
    JZ_REDIS_CHANNEL_ALL,
    JZ_REDIS_CHANNEL_OWN,
    JZ_REDIS_CHANNEL_OTHER /* not one that this process subscribes to */
} jz_redis_channel_kind;

/* What a channel is, whose prefix was taken off already. `topic` is set to where the topic's name begins. */
jz_redis_channel_kind jz_redis_channel_read(const char *channel, size_t length, uint64_t origin, const char **topic,
                                            size_t *topic_length);

#endif
