#include "link/replies.h"

#include <stdlib.h>
#include <string.h>

#include "link/quick.h"

/* What stands for a reply that is not kept: not NULL, because that would mean that there is no memory. */
static char stand_in;

static bool is_of_array(const redisReadTask *task)
{
    return task->parent != NULL && task->parent->parent == NULL;
}

static void copy(char *to, size_t size, const char *bytes, size_t length)
{
    size_t kept = length < size - 1 ? length : size - 1;
    memcpy(to, bytes, kept);
    to[kept] = '\0';
}

static void keep_channel(jz_redis_replies *replies, const char *bytes, size_t length)
{
    if (length > replies->channel_capacity) {
        char *channel = realloc(replies->channel, length);
        if (channel == NULL) {
            replies->has_no_memory = true;
            return;
        }
        replies->channel = channel;
        replies->channel_capacity = length;
    }
    if (length > 0)
        memcpy(replies->channel, bytes, length);
    replies->channel_length = length;
}

static void take_element(jz_redis_replies *replies, const redisReadTask *task, const char *bytes, size_t length)
{
    if (task->idx == 0)
        copy(replies->word, sizeof replies->word, bytes, length);
    else if (task->idx == 1)
        keep_channel(replies, bytes, length);
    else if (task->idx == 2 && replies->on_message != NULL && !replies->has_no_memory &&
             strcmp(replies->word, "message") == 0)
        replies->on_message(replies->context, replies->channel, replies->channel_length, bytes, length);
}

static void *create_string(const redisReadTask *task, char *bytes, size_t length)
{
    jz_redis_replies *replies = task->privdata;
    if (is_of_array(task)) {
        take_element(replies, task, bytes, length);
    } else if (task->parent == NULL) {
        replies->type = task->type;
        if (task->type == REDIS_REPLY_STRING && replies->on_text != NULL)
            replies->on_text(replies->context, bytes, length);
        else
            copy(replies->refusal, sizeof replies->refusal, bytes, length);
    }
    return &stand_in;
}

static void *begin(const redisReadTask *task)
{
    jz_redis_replies *replies = task->privdata;
    if (task->parent != NULL)
        return &stand_in;
    replies->type = task->type;
    replies->word[0] = '\0';
    replies->channel_length = 0;
    return &stand_in;
}

#if HIREDIS_MAJOR >= 1
static void *create_array(const redisReadTask *task, size_t count)
#else
static void *create_array(const redisReadTask *task, int count)
#endif
{
    (void)count;
    return begin(task);
}

static void *create_integer(const redisReadTask *task, long long number)
{
    (void)number;
    if (task->parent == NULL)
        ((jz_redis_replies *)task->privdata)->type = task->type;
    return &stand_in;
}

static void *create_nil(const redisReadTask *task)
{
    return begin(task);
}

static void free_object(void *reply)
{
    (void)reply;
}

/*
 * Fields of later versions stay NULL: they are for RESP3, which is not asked for. It would make one connection of two,
 * and one that Redis closes because its messages are not taken is not to take publications along.
 */
static redisReplyObjectFunctions functions = {.createString = create_string,
                                              .createArray = create_array,
                                              .createInteger = create_integer,
                                              .createNil = create_nil,
                                              .freeObject = free_object};

size_t jz_redis_replies_take(jz_redis_replies *replies, const char *bytes, size_t length)
{
    jz_redis_quick reply;
    size_t size = jz_redis_quick_read(bytes, length, &reply);
    if (size == 0 || (reply.is_message && replies->on_message == NULL))
        return 0;
    if (size > length)
        return size;
    replies->type = reply.is_message ? REDIS_REPLY_ARRAY : REDIS_REPLY_INTEGER;
    if (reply.is_message)
        replies->on_message(replies->context, reply.channel, reply.channel_length, reply.payload, reply.length);
    return size;
}

void jz_redis_replies_attach(jz_redis_replies *replies, redisReader *reader)
{
    reader->fn = &functions;
    reader->privdata = replies;
}

void jz_redis_replies_clear(jz_redis_replies *replies)
{
    free(replies->channel);
    replies->channel = NULL;
    replies->channel_length = replies->channel_capacity = 0;
}
