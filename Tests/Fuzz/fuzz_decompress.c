/*
 * permessage-deflate on messages: arbitrary bytes decompressed, shared and in a context, against a plain reference; and
 * messages compressed, which the reference has to decompress to the same.
 */
#include "session/compression.h"

#include "support/fuzz_input.h"
#include "support/reference_inflate.h"

enum { MAX_MESSAGES = 16, LARGEST_WINDOW_BITS = 15, LARGEST_CHUNK = 256 * 1024 };

static const size_t limits[] = {65536, 1, 2, 100, 4096, 10000, 1 << 20};

/* The reference's result for a message, with the strictest and the most generous window of zlib. */
typedef struct expectation {
    reference_inflate strict;
    reference_inflate generous;
    jz_buffer strict_output;
    jz_buffer generous_output;
    reference_inflate_result strict_result;
    reference_inflate_result generous_result;
} expectation;

static expectation expectation_of(uint8_t window_bits, bool keeps_context)
{
    return (expectation){.strict = {.window_bits = window_bits, .keeps_context = keeps_context, .piece = 1},
                         .generous = {.window_bits = window_bits, .keeps_context = keeps_context, .piece = SIZE_MAX}};
}

static void expect(expectation *expected, fuzz_input message, size_t limit)
{
    expected->generous_result = reference_inflate_message(&expected->generous, message.bytes, message.length, limit,
                                                          &expected->generous_output);
    /* With the largest window there is nothing to be strict about. */
    bool is_same = expected->strict.window_bits == LARGEST_WINDOW_BITS;
    expected->strict_result = is_same ? expected->generous_result
                                      : reference_inflate_message(&expected->strict, message.bytes, message.length,
                                                                  limit, &expected->strict_output);
}

static void free_expectation(expectation *expected)
{
    reference_inflate_free(&expected->strict);
    reference_inflate_free(&expected->generous);
    jz_buffer_free(&expected->strict_output);
    jz_buffer_free(&expected->generous_output);
}

/* ISA-L does not mind a block's code that is incomplete, as long as the message does without what is missing. */
static bool is_an_engines_licence(const expectation *expected)
{
#ifdef JZ_DEFLATE_ISAL
    return expected->generous.is_of_codes && !expected->generous.keeps_context;
#else
    (void)expected;
    return false;
#endif
}

/* Whether the message is one to go on after. */
static bool require_as_expected(const expectation *expected, jz_failure failure, const jz_buffer *output)
{
    require(failure == JZ_FAILURE_NONE || failure == JZ_FAILURE_INVALID_COMPRESSION ||
                failure == JZ_FAILURE_MESSAGE_TOO_BIG,
            "a message is decompressed, invalid or too big");
    if (failure == JZ_FAILURE_NONE && is_an_engines_licence(expected))
        return true;
    if (failure == JZ_FAILURE_NONE) {
        const jz_buffer *right = &expected->generous_output;
        require(expected->generous_result == REFERENCE_INFLATED, "what is decompressed is what a compressor can send");
        require(output->length == right->length &&
                    (right->length == 0 || memcmp(output->bytes, right->bytes, right->length) == 0),
                "it is decompressed to the right bytes");
    } else {
        require(expected->strict_result != REFERENCE_INFLATED, "what a compressor can send is decompressed");
    }
    if (failure == JZ_FAILURE_MESSAGE_TOO_BIG)
        require(expected->generous_result == REFERENCE_TOO_LARGE, "only what is too large is refused as too large");
    return failure == JZ_FAILURE_NONE && expected->strict_result == REFERENCE_INFLATED;
}

static jz_failure decompress(jz_compression_workspace *workspace, jz_decompressor **dedicated, uint8_t window_bits,
                             fuzz_input message, size_t limit)
{
    size_t capacity = workspace->decompressed.capacity;
    uint8_t *copy = fuzz_copy(message.bytes, message.length);
    jz_failure failure = jz_decompress(workspace, dedicated, window_bits, copy, message.length, limit);
    free(copy);
    size_t most = limit + LARGEST_CHUNK > capacity ? limit + LARGEST_CHUNK : capacity;
    require(workspace->decompressed.capacity <= most, "a bomb costs no more than the limit and a chunk");
    require(failure != JZ_FAILURE_NONE || workspace->decompressed.length <= limit, "the limit is respected");
    return failure;
}

/* Messages through a workspace that connections share: none affects the next, whatever its result. */
static void decompress_shared(fuzz_input *input)
{
    jz_compression_workspace workspace = {0};
    for (size_t i = 0; i < MAX_MESSAGES && input->length > 0; i++) {
        size_t limit = limits[fuzz_take_below(input, COUNT_OF(limits))];
        fuzz_input message = fuzz_take_bytes(input, fuzz_take_uint16(input));
        expectation expected = expectation_of(LARGEST_WINDOW_BITS, false);
        expect(&expected, message, limit);
        jz_failure failure = decompress(&workspace, NULL, 0, message, limit);
        require_as_expected(&expected, failure, &workspace.decompressed);
        free_expectation(&expected);
        if (fuzz_take_below(input, 4) == 1)
            jz_compression_workspace_trim(&workspace);
    }
    jz_compression_workspace_free(&workspace);
}

/* Messages of one connection that refer to each other, up to the first that is refused. */
static void decompress_in_context(fuzz_input *input)
{
    uint8_t window_bits = (uint8_t)(LARGEST_WINDOW_BITS - fuzz_take_below(input, 7));
    size_t limit = limits[fuzz_take_below(input, COUNT_OF(limits))];
    jz_compression_workspace workspace = {0};
    jz_dedicated_compression *dedicated = NULL;
    require(jz_dedicated_compression_ensure(&dedicated), "the fuzzer has memory");
    expectation expected = expectation_of(window_bits, true);
    for (size_t i = 0; i < MAX_MESSAGES && input->length > 0; i++) {
        fuzz_input message = fuzz_take_bytes(input, fuzz_take_uint16(input));
        expect(&expected, message, limit);
        jz_failure failure = decompress(&workspace, &dedicated->decompressor, window_bits, message, limit);
        if (!require_as_expected(&expected, failure, &workspace.decompressed))
            break;
    }
    free_expectation(&expected);
    jz_dedicated_compression_free(dedicated);
    jz_compression_workspace_free(&workspace);
}

static jz_deflate_options take_options(fuzz_input *input)
{
    uint8_t levels = fuzz_take_byte(input);
    return (jz_deflate_options){.memory_level = (uint8_t)(9 - (levels & 0xF) % 9),
                                .level = (uint8_t)(9 - (levels >> 4) % 9)};
}

/* Some bytes of the input, repeated. */
static jz_buffer take_message(fuzz_input *input)
{
    jz_buffer message = {0};
    size_t repetitions = 1 + fuzz_take_byte(input);
    fuzz_input pattern = fuzz_take_bytes(input, fuzz_take_byte(input));
    for (size_t i = 0; i < repetitions; i++)
        require(jz_buffer_append(&message, pattern.bytes, pattern.length), "the fuzzer has memory");
    return message;
}

/* Decompresses a message as a client with that window, and as another server of ours. */
static void require_round_trip(reference_inflate *client, jz_compression_workspace *other, jz_decompressor **dedicated,
                               const jz_buffer *compressed, const jz_buffer *message)
{
    jz_buffer output = {0};
    require(compressed->length > 0 && compressed->length < message->length, "what is compressed gets smaller");
    require(reference_inflate_message(client, compressed->bytes, compressed->length, message->length, &output) ==
                REFERENCE_INFLATED,
            "a client decompresses what was compressed");
    require(output.length == message->length && memcmp(output.bytes, message->bytes, output.length) == 0,
            "to what it was");
    jz_failure failure =
        jz_decompress(other, dedicated, client->window_bits, compressed->bytes, compressed->length, message->length);
    require(failure == JZ_FAILURE_NONE, "and so do we");
    require(other->decompressed.length == message->length &&
                memcmp(other->decompressed.bytes, message->bytes, message->length) == 0,
            "to what it was");
    jz_buffer_free(&output);
}

static void compress_alone(fuzz_input *input)
{
    jz_deflate_options options = take_options(input);
    jz_compression_workspace workspace = {0};
    jz_compression_workspace other = {0};
    jz_buffer message = {0};
    for (size_t i = 0; i < MAX_MESSAGES && input->length > 0; i++) {
        uint8_t choice = fuzz_take_byte(input);
        bool is_same_again = choice >= 192;
        reference_inflate client = {.window_bits = (uint8_t)(9 + choice % 7), .piece = 32};
        if (!is_same_again) {
            jz_buffer_free(&message);
            message = take_message(input);
        }
        const jz_buffer *compressed = NULL;
        if (jz_compress_alone(&workspace, &options, client.window_bits, message.bytes, message.length, &compressed))
            require_round_trip(&client, &other, NULL, compressed, &message);
        if (choice % 8 == 7)
            jz_compression_workspace_trim(&workspace);
    }
    jz_buffer_free(&message);
    jz_compression_workspace_free(&workspace);
    jz_compression_workspace_free(&other);
}

static void compress_in_context(fuzz_input *input)
{
    jz_deflate_options options = take_options(input);
    reference_inflate client = {
        .window_bits = (uint8_t)(9 + fuzz_take_below(input, 7)), .keeps_context = true, .piece = 32};
    jz_compression_workspace workspace = {0};
    jz_compression_workspace other = {0};
    jz_dedicated_compression *ends = NULL;
    require(jz_dedicated_compression_ensure(&ends), "the fuzzer has memory");
    for (size_t i = 0; i < MAX_MESSAGES && input->length > 0; i++) {
        bool is_lost = fuzz_take_below(input, 8) == 7;
        jz_buffer message = take_message(input);
        const jz_buffer *compressed = NULL;
        bool is_smaller = jz_compress_in_context(&workspace, &ends->compressor, &options, client.window_bits,
                                                 message.bytes, message.length, &compressed);
        if (is_smaller && is_lost)
            jz_compressor_forget(ends->compressor);
        else if (is_smaller)
            require_round_trip(&client, &other, &ends->decompressor, compressed, &message);
        jz_buffer_free(&message);
    }
    reference_inflate_free(&client);
    jz_dedicated_compression_free(ends);
    jz_compression_workspace_free(&workspace);
    jz_compression_workspace_free(&other);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static void (*const ways[])(fuzz_input * input) = {decompress_shared, decompress_in_context, compress_alone,
                                                       compress_in_context};
    fuzz_input input = {bytes, length};
    ways[fuzz_take_below(&input, COUNT_OF(ways))](&input);
    return 0;
}
