/* Replies that are read without hiredis's reader: arbitrary bytes are the same to both, or left to the reader. */
#include "link/quick.h"

#include "link/replies.h"

#include "support/fuzz_input.h"

typedef struct record {
    bool has_message;
    const jz_redis_quick *expected;
} record;

static void expect_message(void *context, const char *channel, size_t channel_length, const char *payload,
                           size_t length)
{
    record *record = context;
    const jz_redis_quick *expected = record->expected;
    require(expected->is_message && !record->has_message, "there is one message");
    require(channel_length == expected->channel_length && length == expected->length, "all is as long");
    require(channel_length == 0 || memcmp(channel, expected->channel, channel_length) == 0, "the channel is the same");
    require(length == 0 || memcmp(payload, expected->payload, length) == 0, "the payload is the same");
    record->has_message = true;
}

/* The reader gets no more than what is said to be the reply. */
static void read_by_hiredis(const char *bytes, size_t length, const jz_redis_quick *expected, bool is_whole)
{
    record record = {.expected = expected};
    jz_redis_replies replies = {.on_message = expect_message, .context = &record};
    redisReader *reader = redisReaderCreate();
    void *reply = NULL;
    if (reader == NULL)
        abort();
    jz_redis_replies_attach(&replies, reader);
    require(redisReaderFeed(reader, bytes, length) == REDIS_OK, "there is memory");
    require(redisReaderGetReply(reader, &reply) == REDIS_OK, "the reader understands it");
    require((reply != NULL) == is_whole, "it is whole for both");
    require(!is_whole || (reader->pos == reader->len && reader->ridx == -1), "it ends at the same place");
    require(!is_whole || replies.type == (expected->is_message ? REDIS_REPLY_ARRAY : REDIS_REPLY_INTEGER),
            "it is of the same type");
    require(record.has_message == (is_whole && expected->is_message), "its message was handed on");
    redisReaderFree(reader);
    jz_redis_replies_clear(&replies);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *copy = (char *)fuzz_copy(bytes, length);
    jz_redis_quick reply;
    for (size_t start = 0; start < length;) {
        size_t size = jz_redis_quick_read(copy + start, length - start, &reply);
        if (size == 0)
            break;
        bool is_whole = size <= length - start;
        read_by_hiredis(copy + start, is_whole ? size : length - start, &reply, is_whole);
        start = is_whole ? start + size : length;
    }
    free(copy);
    return 0;
}
