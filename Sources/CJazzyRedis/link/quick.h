/*
 * The two replies that come by the thousand, a message and an integer, read where they are whole, out of what was
 * received: hiredis's reader takes a copy of it and ten times as many instructions. It is what everything else is for,
 * a reply that is cut, and whatever is not written exactly as Redis writes it.
 */
#ifndef JAZZY_REDIS_LINK_QUICK_H
#define JAZZY_REDIS_LINK_QUICK_H

#include <stdbool.h>
#include <stddef.h>

typedef struct jz_redis_quick {
    bool is_message; /* else an integer, and the rest is nothing */
    const char *channel;
    size_t channel_length;
    const char *payload;
    size_t length;
} jz_redis_quick;

/*
 * Reads the reply that begins here. Returns its whole size, which may be more than is there yet: then nothing else is
 * known. 0: it is none of the two, or too little of it is there to know its size.
 */
size_t jz_redis_quick_read(const char *bytes, size_t length, jz_redis_quick *reply);

#endif
