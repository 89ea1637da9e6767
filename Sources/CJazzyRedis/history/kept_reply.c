#include "history/kept_reply.h"

#include <stdlib.h>

#include "envelope/utf8.h"
#include "history/scripts.h"

enum { HEAD = 16, MESSAGE_HEAD = 9 };

/* What is left to be read. */
typedef struct rest {
    const uint8_t *bytes;
    size_t length;
} rest;

static uint64_t read_number(const uint8_t *from, size_t size)
{
    uint64_t number = 0;
    for (size_t i = 0; i < size; i++)
        number = number << 8 | from[i];
    return number;
}

/* False: it is cut, or nothing of ours. */
static bool take_message(rest *rest, jz_redis_kept_message *message)
{
    if (rest->length < MESSAGE_HEAD || (rest->bytes[0] != 't' && rest->bytes[0] != 'b'))
        return false;
    *message = (jz_redis_kept_message){.is_binary = rest->bytes[0] == 'b',
                                       .age_ms = (uint32_t)read_number(rest->bytes + 1, 4),
                                       .bytes = rest->bytes + MESSAGE_HEAD,
                                       .length = (size_t)read_number(rest->bytes + 5, 4)};
    if (message->length > rest->length - MESSAGE_HEAD)
        return false;
    rest->bytes += MESSAGE_HEAD + message->length;
    rest->length -= MESSAGE_HEAD + message->length;
    return true;
}

static bool count_messages(rest rest, size_t *count)
{
    jz_redis_kept_message message;
    for (*count = 0; rest.length > 0; ++*count) {
        if (*count == JZ_REDIS_KEEP_MOST || !take_message(&rest, &message))
            return false;
    }
    return true;
}

static bool may_be_sent(const jz_redis_kept_message *message)
{
    return message->is_binary || jz_redis_is_utf8(message->bytes, message->length);
}

/* The newest comes first, and goes to the end. What is left out leaves room in front. */
static void read_messages(rest rest, jz_redis_kept_reply *reply, size_t count)
{
    jz_redis_kept_message *to = reply->messages + count;
    while (rest.length > 0 && take_message(&rest, to - 1) && may_be_sent(to - 1))
        to--;
    reply->count = (size_t)(reply->messages + count - to);
    for (size_t i = 0; i < reply->count && to != reply->messages; i++)
        reply->messages[i] = to[i];
}

jz_redis_kept_reading jz_redis_kept_reply_read(const uint8_t *bytes, size_t length, jz_redis_kept_reply *reply)
{
    size_t count;
    *reply = (jz_redis_kept_reply){0};
    if (length < HEAD)
        return JZ_REDIS_KEPT_UNREADABLE;
    rest rest = {bytes + HEAD, length - HEAD};
    uint64_t epoch = read_number(bytes, 8);
    uint64_t newest = read_number(bytes + 8, 8);
    if (epoch == 0 || !count_messages(rest, &count) || count > newest)
        return JZ_REDIS_KEPT_UNREADABLE;
    if (count > 0) {
        reply->messages = malloc(count * sizeof *reply->messages);
        if (reply->messages == NULL)
            return JZ_REDIS_KEPT_NO_MEMORY;
        read_messages(rest, reply, count);
    }
    reply->epoch = epoch;
    reply->newest = newest;
    return JZ_REDIS_KEPT_READ;
}
