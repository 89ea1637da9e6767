/*
 * What the script that fetches answers: the epoch (8 bytes), the offset of the newest message (8), and what is kept,
 * the newest first, without a gap. Each message is "t" or "b", its age in ms (4), its length (4) and its payload.
 * Numbers are big-endian.
 */
#ifndef JAZZY_REDIS_HISTORY_KEPT_REPLY_H
#define JAZZY_REDIS_HISTORY_KEPT_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct jz_redis_kept_message {
    bool is_binary;
    uint32_t age_ms;
    const uint8_t *bytes; /* within the reply */
    size_t length;
} jz_redis_kept_message;

typedef struct jz_redis_kept_reply {
    uint64_t epoch;  /* not 0 */
    uint64_t newest; /* at least `count` */
    size_t count;
    jz_redis_kept_message *messages; /* oldest first; to be freed */
} jz_redis_kept_reply;

typedef enum jz_redis_kept_reading {
    JZ_REDIS_KEPT_READ,
    JZ_REDIS_KEPT_UNREADABLE,
    JZ_REDIS_KEPT_NO_MEMORY
} jz_redis_kept_reading;

/* A text that is no UTF-8, which others have put there, is left out, with all before it. */
jz_redis_kept_reading jz_redis_kept_reply_read(const uint8_t *bytes, size_t length, jz_redis_kept_reply *reply);

#endif
