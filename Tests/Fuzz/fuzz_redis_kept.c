/* What Redis answers to a fetch: arbitrary bytes, and what is written as the script does it. */
#include "history/kept_reply.h"

#include "envelope/utf8.h"

#include "support/fuzz_input.h"

static void require_sound(const jz_redis_kept_reply *reply, const uint8_t *bytes, size_t length)
{
    require(reply->epoch != 0 && reply->count <= reply->newest, "there are not more messages than offsets");
    const uint8_t *behind = bytes + length;
    for (size_t i = 0; i < reply->count; i++) {
        const jz_redis_kept_message *message = &reply->messages[i];
        require(message->bytes >= bytes + 16 && message->bytes + message->length <= behind,
                "each is within the reply, before the one that is older");
        behind = message->bytes;
        require(message->is_binary || jz_redis_is_utf8(message->bytes, message->length), "a text is UTF-8");
    }
    for (size_t i = 1; i < reply->count; i++)
        require(reply->messages[i].bytes < reply->messages[i - 1].bytes, "the newest comes first in the reply");
}

static void read_arbitrary_bytes(fuzz_input input)
{
    uint8_t *bytes = fuzz_copy(input.bytes, input.length);
    jz_redis_kept_reply reply;
    if (jz_redis_kept_reply_read(bytes, input.length, &reply) == JZ_REDIS_KEPT_READ)
        require_sound(&reply, bytes, input.length);
    else
        require(reply.messages == NULL && reply.count == 0, "what is not read is nothing");
    free(reply.messages);
    free(bytes);
}

/* Each byte is a message of so many bytes, binary ones, which may be anything. */
static void read_what_is_written(fuzz_input input)
{
    size_t size = 16 + input.length * (9 + 255);
    uint8_t *bytes = fuzz_allocate(size);
    size_t at = 16;
    memset(bytes, 0, size);
    bytes[7] = 1;
    bytes[14] = (uint8_t)(input.length >> 8);
    bytes[15] = (uint8_t)input.length;
    for (size_t i = 0; i < input.length; i++) {
        bytes[at] = 'b';
        bytes[at + 8] = input.bytes[i];
        at += 9U + input.bytes[i];
    }
    jz_redis_kept_reply reply;
    require(jz_redis_kept_reply_read(bytes, at, &reply) == JZ_REDIS_KEPT_READ, "what is written can be read");
    require(reply.count == input.length && reply.newest == input.length, "all of it is read");
    for (size_t i = 0; i < reply.count; i++)
        require(reply.messages[reply.count - 1 - i].length == input.bytes[i], "the oldest comes first");
    free(reply.messages);
    free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    read_arbitrary_bytes((fuzz_input){bytes, length});
    read_what_is_written((fuzz_input){bytes, length});
    return 0;
}
