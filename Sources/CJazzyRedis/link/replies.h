/*
 * What Redis answers on the two connections, read by hiredis's reader without an allocation: messages are handed on
 * while they are read, straight out of the reader's buffer, and of everything else only the beginning is kept.
 */
#ifndef JAZZY_REDIS_LINK_REPLIES_H
#define JAZZY_REDIS_LINK_REPLIES_H

#include <stdbool.h>
#include <stddef.h>

#include "../../CJazzyHiredis/CJazzyHiredis.h"

enum { JZ_REDIS_WORD_SIZE = 16, JZ_REDIS_REFUSAL_SIZE = 128 };

typedef void (*jz_redis_on_message)(void *context, const char *channel, size_t channel_length, const char *payload,
                                    size_t length);

/* The text of a reply that is nothing else. */
typedef void (*jz_redis_on_text)(void *context, const char *bytes, size_t length);

typedef struct jz_redis_replies {
    jz_redis_on_text on_text;       /* NULL: nobody wants it */
    jz_redis_on_message on_message; /* NULL: the connection is subscribed to nothing */
    void *context;

    /* The last whole reply. */
    int type;                            /* REDIS_REPLY_... */
    char word[JZ_REDIS_WORD_SIZE];       /* the first string of an array, if it is short: "message", "master" */
    char refusal[JZ_REDIS_REFUSAL_SIZE]; /* the text of an error */
    char *channel;                       /* the second string of an array */
    size_t channel_length;
    size_t channel_capacity;
    bool has_no_memory;
} jz_redis_replies;

/*
 * Between two replies: takes the one that begins with these bytes, if it is one of those that need no reader (quick.h),
 * and hands a message on. Returns its size; more than `length`: so long it will be, and nothing was taken; 0: it is for
 * the reader.
 */
size_t jz_redis_replies_take(jz_redis_replies *replies, const char *bytes, size_t length);

/* Has the reader, which must not have begun with a reply, read for `replies`; replies are not to be freed. */
void jz_redis_replies_attach(jz_redis_replies *replies, redisReader *reader);

void jz_redis_replies_clear(jz_redis_replies *replies);

#endif
