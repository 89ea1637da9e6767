#include "link/keep_command.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "history/scripts.h"
#include "link/command.h"
#include "topics/channel.h"

enum {
    LONGEST_MESSAGE = 512 * 1024 * 1024, /* proto-max-bulk-len of Redis */
    DIGITS = 20,                         /* of the sequence before */
    NUMBERS = 3
};

static const char position_word[] = "position:";
static const char history_word[] = "history:";

/* Parts of a command are counted first, and then written, by the same function: `to` is NULL while they are counted. */
typedef struct writer {
    char *to;
    size_t size;
} writer;

static void put(writer *writer, const void *bytes, size_t length)
{
    if (writer->to != NULL && length > 0)
        memcpy(writer->to + writer->size, bytes, length);
    writer->size += length;
}

static void put_length(writer *writer, char mark, size_t length)
{
    if (writer->to != NULL)
        (void)jz_redis_write_length(writer->to + writer->size, mark, length);
    writer->size += jz_redis_length_size(length);
}

static void put_text(writer *writer, const void *bytes, size_t length)
{
    put_length(writer, '$', length);
    put(writer, bytes, length);
    put(writer, "\r\n", 2);
}

static void put_key(writer *writer, const char *prefix, size_t prefix_length, const char *word,
                    const jz_redis_script_call *call)
{
    put_length(writer, '$', prefix_length + strlen(word) + call->topic_length);
    put(writer, prefix, prefix_length);
    put(writer, word, strlen(word));
    put(writer, call->topic, call->topic_length);
    put(writer, "\r\n", 2);
}

static void put_channel(writer *writer, const char *prefix, size_t prefix_length, const jz_redis_script_call *call)
{
    if (call->channel != NULL) {
        put_text(writer, call->channel, call->channel_length);
        return;
    }
    size_t length = jz_redis_channel_length(call->topic, call->topic_length);
    put_length(writer, '$', prefix_length + length);
    put(writer, prefix, prefix_length);
    if (writer->to != NULL)
        (void)jz_redis_channel_write(writer->to + writer->size, call->topic, call->topic_length);
    writer->size += length;
    put(writer, "\r\n", 2);
}

static void put_number(writer *writer, uint64_t number)
{
    char text[DIGITS + 1];
    int length = snprintf(text, sizeof text, "%" PRIu64, number);
    put_text(writer, text, (size_t)length);
}

static void put_epoch(writer *writer, uint64_t epoch)
{
    uint8_t bytes[JZ_REDIS_EPOCH_SIZE];
    for (int i = 0; i < JZ_REDIS_EPOCH_SIZE; i++)
        bytes[i] = (uint8_t)(epoch >> (56 - 8 * i));
    put_text(writer, bytes, sizeof bytes);
}

/* All from the number of keys to the bounds. */
static void put_call(writer *writer, const char *prefix, size_t prefix_length, const jz_redis_script_call *call)
{
    put_text(writer, "2", 1);
    put_key(writer, prefix, prefix_length, position_word, call);
    put_key(writer, prefix, prefix_length, history_word, call);
    put_channel(writer, prefix, prefix_length, call);
    put_text(writer, call->header, call->header_length);
    put_text(writer, call->bytes, call->length);
    put_epoch(writer, call->epoch);
    put_number(writer, call->bounds.keep);
    put_number(writer, call->bounds.for_ms);
    put_number(writer, call->bounds.bytes);
}

static void put_keep(writer *writer, const char *prefix, size_t prefix_length, const jz_redis_script_call *call)
{
    char before[DIGITS + 1];
    snprintf(before, sizeof before, "%020" PRIu64, call->before);
    put_length(writer, '*', 3 + 2 + 8);
    put_text(writer, "EVALSHA", 7);
    put_text(writer, jz_redis_keep_script_sha1, strlen(jz_redis_keep_script_sha1));
    put_call(writer, prefix, prefix_length, call);
    put_text(writer, before, DIGITS);
}

static void put_fetch(writer *writer, const char *prefix, size_t prefix_length, const jz_redis_script_call *call)
{
    put_length(writer, '*', 3 + 2 + 7);
    put_text(writer, "EVAL", 4);
    put_text(writer, jz_redis_fetch_script, strlen(jz_redis_fetch_script));
    put_call(writer, prefix, prefix_length, call);
}

static bool is_possible(size_t prefix_length, const jz_redis_script_call *call)
{
    return call->topic_length < (LONGEST_MESSAGE - 64) / 4 && prefix_length < (LONGEST_MESSAGE - 64) / 4 &&
           call->length < LONGEST_MESSAGE - 64;
}

bool jz_redis_keep_plan(size_t prefix_length, const jz_redis_script_call *call, size_t *size)
{
    writer writer = {0};
    if (!is_possible(prefix_length, call))
        return false;
    put_keep(&writer, NULL, prefix_length, call);
    *size = writer.size;
    return true;
}

void jz_redis_keep_write(const char *prefix, size_t prefix_length, const jz_redis_script_call *call, char *to)
{
    writer writer = {.to = to};
    put_keep(&writer, prefix, prefix_length, call);
}

void jz_redis_keep_forget_before(char *end)
{
    memset(end - 2 - DIGITS, '0', DIGITS);
}

bool jz_redis_fetch_plan(size_t prefix_length, const jz_redis_script_call *call, size_t *size)
{
    writer writer = {0};
    if (!is_possible(prefix_length, call))
        return false;
    put_fetch(&writer, NULL, prefix_length, call);
    *size = writer.size;
    return true;
}

void jz_redis_fetch_write(const char *prefix, size_t prefix_length, const jz_redis_script_call *call, char *to)
{
    writer writer = {.to = to};
    put_fetch(&writer, prefix, prefix_length, call);
}

size_t jz_redis_load_write(char *to)
{
    writer writer = {.to = to};
    put_length(&writer, '*', 3);
    put_text(&writer, "SCRIPT", 6);
    put_text(&writer, "LOAD", 4);
    put_text(&writer, jz_redis_keep_script, strlen(jz_redis_keep_script));
    return writer.size;
}

jz_redis_bounds jz_redis_bounds_of(size_t keep, uint64_t for_ms, size_t bytes)
{
    return (jz_redis_bounds){.keep = keep < JZ_REDIS_KEEP_MOST ? keep : JZ_REDIS_KEEP_MOST,
                             .for_ms = for_ms,
                             .bytes = bytes < JZ_REDIS_KEEP_MOST_BYTES ? bytes : JZ_REDIS_KEEP_MOST_BYTES};
}
