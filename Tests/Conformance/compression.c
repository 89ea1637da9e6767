#include "compression.h"

#include <stdio.h>

#include "../CJazzyPollTests/support/random.h"

enum { LARGEST_WINDOW_BITS = 15, MEMORY_LEVEL = 8, LEVEL = 6 };

#define OPTIONS(mode_)                                                                                                 \
    {                                                                                                                  \
        .mode = (mode_), .window_bits = LARGEST_WINDOW_BITS, .memory_level = MEMORY_LEVEL, .level = LEVEL,             \
        .min_message_size = MIN_MESSAGE_SIZE                                                                           \
    }

const session_deflate dedicated_deflate = {
    .offer = "permessage-deflate",
    .answer = "permessage-deflate",
    .options = OPTIONS(JZ_DEFLATE_DEDICATED),
    .server_window_bits = LARGEST_WINDOW_BITS,
};

const session_deflate shared_deflate = {
    .offer = "permessage-deflate",
    .answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    .options = OPTIONS(JZ_DEFLATE_SHARED),
    .server_window_bits = LARGEST_WINDOW_BITS,
    .server_no_context_takeover = true,
};

static const char *offer_text(topic *topic, const deflate_offer *offer)
{
    char server_bits[40] = "";
    char client_bits[40] = "";
    if (offer->server_max_window_bits != 0)
        snprintf(server_bits, sizeof server_bits, "; server_max_window_bits=%u", offer->server_max_window_bits);
    if (offer->client_max_window_bits == WITHOUT_VALUE)
        snprintf(client_bits, sizeof client_bits, "; client_max_window_bits");
    else if (offer->client_max_window_bits != 0)
        snprintf(client_bits, sizeof client_bits, "; client_max_window_bits=%u", offer->client_max_window_bits);
    return topic_text(
        topic, "permessage-deflate%s%s%s%s", offer->server_no_context_takeover ? "; server_no_context_takeover" : "",
        offer->client_no_context_takeover ? "; client_no_context_takeover" : "", server_bits, client_bits);
}

/* A shared compressor keeps no context, in neither direction; windows are repeated where they are smaller. */
static const char *answer_text(topic *topic, const deflate_offer *offer)
{
    deflate_offer answer = *offer;
    answer.server_no_context_takeover = offer->server_no_context_takeover || offer->mode == JZ_DEFLATE_SHARED;
    answer.client_no_context_takeover = offer->client_no_context_takeover || offer->mode == JZ_DEFLATE_SHARED;
    if (answer.client_max_window_bits == WITHOUT_VALUE || answer.client_max_window_bits == LARGEST_WINDOW_BITS)
        answer.client_max_window_bits = 0;
    return offer_text(topic, &answer);
}

const session_deflate *deflate_of(topic *topic, const deflate_offer *offer)
{
    session_deflate *deflate = topic_allocate(topic, sizeof *deflate);
    *deflate = (session_deflate){
        .offer = offer_text(topic, offer),
        .answer = answer_text(topic, offer),
        .options = OPTIONS(offer->mode),
        .server_window_bits = offer->server_max_window_bits != 0 ? offer->server_max_window_bits : LARGEST_WINDOW_BITS,
        .server_no_context_takeover = offer->server_no_context_takeover || offer->mode == JZ_DEFLATE_SHARED,
    };
    return deflate;
}

test_bytes make_text(topic *topic, size_t length, uint64_t seed)
{
    static const char *const words[] = {"{\"user\": ", "\"message\", ", "\"text\": \"hello\"}, ", "caf\xC3\xA9 ", "12",
                                        "7, "};
    test_random random = {seed};
    char *text = topic_allocate(topic, length);
    size_t position = 0;
    while (position < length) {
        const char *word = words[test_random_below(&random, COUNT_OF(words))];
        size_t word_length = strlen(word);
        if (word_length > length - position) { /* not within a character */
            text[position++] = '.';
            continue;
        }
        memcpy(text + position, word, word_length);
        position += word_length;
    }
    return (test_bytes){text, length, length};
}

test_bytes make_noise(topic *topic, size_t length, uint64_t seed)
{
    test_random random = {seed};
    char *noise = topic_allocate(topic, length);
    for (size_t i = 0; i < length; i++)
        noise[i] = (char)test_random_below(&random, 256);
    return (test_bytes){noise, length, length};
}

void client_compressor_start(z_stream *stream, const deflate_offer *offer)
{
    int bits = offer->client_max_window_bits > WITHOUT_VALUE ? offer->client_max_window_bits : LARGEST_WINDOW_BITS;
    *stream = (z_stream){0};
    assert_int_equal(deflateInit2(stream, LEVEL, Z_DEFLATED, -bits, MEMORY_LEVEL, Z_DEFAULT_STRATEGY), Z_OK);
}

test_bytes client_compress(topic *topic, z_stream *stream, const deflate_offer *offer, test_bytes message)
{
    if (offer->client_no_context_takeover || offer->mode == JZ_DEFLATE_SHARED)
        deflateReset(stream);
    jz_buffer plain = {0};
    test_bytes_append(&plain, message);
    size_t room = deflateBound(stream, (uLong)plain.length) + 16;
    uint8_t *compressed = topic_allocate(topic, room);
    stream->next_in = plain.bytes;
    stream->avail_in = (uInt)plain.length;
    stream->next_out = compressed;
    stream->avail_out = (uInt)room;
    assert_int_equal(deflate(stream, Z_SYNC_FLUSH), Z_OK);
    assert_int_equal(stream->avail_in, 0);
    jz_buffer_free(&plain);
    size_t length = room - stream->avail_out - 4;
    assert_memory_equal(compressed + length, "\x00\x00\xFF\xFF", 4);
    return (test_bytes){(const char *)compressed, length, length};
}

session_event got_and_sent_back(jz_message_kind kind, test_bytes message)
{
    jz_buffer plain = {0};
    test_bytes_append(&plain, message);
    uLongf length = compressBound((uLong)plain.length);
    uint8_t *compressed = malloc(length);
    assert_int_equal(compress2(compressed, &length, plain.bytes, (uLong)plain.length, LEVEL), Z_OK);
    free(compressed);
    session_event event = got(kind, message);
    event.is_sent_back_compressed = plain.length >= MIN_MESSAGE_SIZE && length < plain.length;
    jz_buffer_free(&plain);
    return event;
}
