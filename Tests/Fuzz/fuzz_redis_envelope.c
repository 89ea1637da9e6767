/*
 * Messages between processes: arbitrary bytes as what came on a channel; what a receiver takes them for, in any order;
 * and names of channels there and back.
 */
#include "envelope/envelope.h"

#include "envelope/heard.h"
#include "envelope/utf8.h"
#include "topics/channel.h"

#include "support/fuzz_input.h"

enum { MOST_NUMBER = 16, ORIGINS = 3 };

/* What was read has to be what is written for it, so that there is one way to say it. */
static void read_arbitrary_bytes(fuzz_input input)
{
    uint8_t *bytes = fuzz_copy(input.bytes, input.length);
    jz_redis_envelope envelope;
    size_t header = 0;
    jz_redis_reading reading = jz_redis_envelope_read(bytes, input.length, &envelope, &header);
    bool has_magic = input.length >= 2 && bytes[0] == 0xFF && bytes[1] == 'J';
    if (reading == JZ_REDIS_FOREIGN)
        require(!has_magic && jz_redis_is_utf8(bytes, input.length), "what others publish is a text");
    if (reading != JZ_REDIS_READ) {
        require(header == 0, "without a header there is no payload behind it");
        free(bytes);
        return;
    }
    uint8_t written[JZ_REDIS_ENVELOPE_MOST];
    size_t size = jz_redis_envelope_write(&envelope, written);
    require(has_magic && header <= input.length && envelope.origin != 0, "ours has a header");
    require(size <= input.length && memcmp(written, bytes, size) == 0, "what is read is written the same way");
    size_t position = jz_redis_is_kept(&envelope) ? 16 : 0;
    require(envelope.kind == JZ_REDIS_ANNOUNCEMENT ? size == input.length && header == 20 : size + position == header,
            "the payload begins behind the header, and that of an announcement is its own");
    require(position > 0 ? envelope.epoch != 0 && envelope.offset != 0 : envelope.epoch == 0 && envelope.offset == 0,
            "what is kept has a position, and nothing else");
    if (envelope.kind == JZ_REDIS_TEXT || envelope.kind == JZ_REDIS_KEPT_TEXT)
        require(jz_redis_is_utf8(bytes + header, input.length - header), "a text is UTF-8");
    free(bytes);
}

static void write_and_read(const jz_redis_envelope *envelope)
{
    uint8_t bytes[JZ_REDIS_ENVELOPE_MOST];
    jz_redis_envelope read = {0};
    size_t header = 0;
    size_t size = jz_redis_envelope_write(envelope, bytes);
    require(jz_redis_envelope_read(bytes, size, &read, &header) == JZ_REDIS_READ, "what is written can be read");
    require(read.kind == envelope->kind && read.is_anew == envelope->is_anew && read.origin == envelope->origin &&
                read.sequence == envelope->sequence && read.publisher == envelope->publisher &&
                read.lost_from == envelope->lost_from,
            "what is read is what was written");
}

/* Whatever comes in whatever order: nothing is new twice, and a number that was jumped over is a gap. */
static void hear_in_any_order(fuzz_input input)
{
    jz_redis_heard heard = {0};
    uint64_t last[ORIGINS] = {0};
    bool is_known[ORIGINS] = {false};
    while (input.length > 0) {
        uint8_t choice = fuzz_take_byte(&input);
        size_t origin = choice % ORIGINS;
        bool is_announcement = (choice & 0x40) != 0;
        jz_redis_envelope envelope = {
            .kind = is_announcement ? JZ_REDIS_ANNOUNCEMENT : JZ_REDIS_BINARY,
            .is_anew = !is_announcement && (choice & 0x80) != 0,
            .origin = origin + 1,
            .sequence = 1 + (uint64_t)fuzz_take_below(&input, MOST_NUMBER),
            .publisher = is_announcement ? 0 : choice,
        };
        if (is_announcement)
            envelope.lost_from = fuzz_take_below(&input, MOST_NUMBER);
        write_and_read(&envelope);
        jz_redis_verdict verdict = jz_redis_heard_take(&heard, &envelope, 0);
        bool is_higher = !is_known[origin] || envelope.sequence > last[origin];
        bool jumps = is_known[origin] && envelope.sequence > last[origin] + (is_announcement ? 0 : 1);
        require(verdict.is_new == (is_higher && !is_announcement), "a message is new if its number is");
        require(!jumps || envelope.is_anew || verdict.is_gap, "a number that was jumped over is a gap");
        require(is_known[origin] || !is_announcement || verdict.is_gap, "who announces first has lost something");
        require(!verdict.is_gap || verdict.is_new || is_announcement, "a duplicate is no gap");
        is_known[origin] = true;
        last[origin] = is_higher ? envelope.sequence : last[origin];
    }
    jz_redis_heard_clear(&heard);
}

static void name_channels(fuzz_input input)
{
    uint64_t origin = fuzz_take_uint16(&input);
    char *topic = fuzz_copy(input.bytes, input.length);
    size_t length = jz_redis_channel_length(topic, input.length);
    char *channel = fuzz_allocate(length);
    require(jz_redis_channel_write(channel, topic, input.length) == channel + length, "its length is known before");
    const char *read;
    size_t read_length;
    require(jz_redis_channel_read(channel, length, origin, &read, &read_length) == JZ_REDIS_CHANNEL_TOPIC,
            "the channel of a topic is that of a topic");
    require(read_length == input.length && (read_length == 0 || memcmp(read, topic, read_length) == 0),
            "the topic is read as it was written");
    (void)jz_redis_channel_read(topic, input.length, origin, &read, &read_length);
    free(channel);
    free(topic);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    read_arbitrary_bytes((fuzz_input){bytes, length});
    hear_in_any_order((fuzz_input){bytes, length});
    name_channels((fuzz_input){bytes, length});
    return 0;
}
