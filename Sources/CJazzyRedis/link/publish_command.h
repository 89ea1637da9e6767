/* The command by which a message is published: PUBLISH, the channel, and the header with the payload. */
#ifndef JAZZY_REDIS_LINK_PUBLISH_COMMAND_H
#define JAZZY_REDIS_LINK_PUBLISH_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct jz_redis_publish {
    const char *topic; /* NULL: to the channel of all processes */
    size_t topic_length;
    const uint8_t *header;
    size_t header_length;
    const void *bytes;
    size_t length;

    /* What jz_redis_publish_plan finds out. */
    size_t channel_length;
    size_t size; /* of the whole command */
} jz_redis_publish;

/* False: Redis takes no message that is so long. */
bool jz_redis_publish_plan(size_t prefix_length, jz_redis_publish *publish);

/* Writes `size` bytes. */
void jz_redis_publish_write(const char *prefix, size_t prefix_length, const jz_redis_publish *publish, char *to);

#endif
