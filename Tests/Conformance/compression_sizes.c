/* Compressed messages (RFC 7692 §7.2) of 16 bytes to 128 KiB, in one frame, in several, and in frames of 256 bytes. */
#include "compression.h"
#include "topics.h"

enum { LARGE = 16384, MESSAGES = 3 };

typedef struct cutting {
    const char *name;
    size_t frames;     /* at most; 0: as many as it takes */
    size_t frame_size; /* where `frames` is 0 */
} cutting;

static const cutting cuttings[] = {
    {"one frame", 1, 0},
    {"five frames", 5, 0},
    {"frames of 256 bytes", 0, 256},
};

typedef struct agreement {
    const char *name;
    deflate_offer offer;
} agreement;

static const agreement agreements[] = {
    {"shared", {.mode = JZ_DEFLATE_SHARED}},
    {"shared, small windows", {.mode = JZ_DEFLATE_SHARED, .server_max_window_bits = 9, .client_max_window_bits = 9}},
    {"dedicated", {.mode = JZ_DEFLATE_DEDICATED}},
    {"dedicated, no context of the server", {.mode = JZ_DEFLATE_DEDICATED, .server_no_context_takeover = true}},
    {"dedicated, no context of the client", {.mode = JZ_DEFLATE_DEDICATED, .client_no_context_takeover = true}},
    {"dedicated, no context",
     {.mode = JZ_DEFLATE_DEDICATED, .server_no_context_takeover = true, .client_no_context_takeover = true}},
    {"dedicated, small windows",
     {.mode = JZ_DEFLATE_DEDICATED, .server_max_window_bits = 9, .client_max_window_bits = 9}},
    {"dedicated, large windows",
     {.mode = JZ_DEFLATE_DEDICATED, .server_max_window_bits = 15, .client_max_window_bits = 15}},
};

static size_t frame_count(const cutting *cutting, size_t length)
{
    size_t count = cutting->frames != 0 ? cutting->frames : (length + cutting->frame_size - 1) / cutting->frame_size;
    return count > 0 ? count : 1;
}

static size_t add_frames(session_step *steps, const cutting *cutting, uint8_t opcode, test_bytes compressed)
{
    size_t count = frame_count(cutting, compressed.total);
    size_t size = cutting->frames != 0 ? compressed.total / count : cutting->frame_size;
    for (size_t i = 0; i < count; i++) {
        bool is_last = i + 1 == count;
        size_t length = is_last ? compressed.total - i * size : size;
        test_bytes part = {compressed.pattern + i * size, length, length};
        steps[i] = i == 0 ? peer_compressed(is_last, opcode, part) : peer_frame(is_last, JZ_OPCODE_CONTINUATION, part);
    }
    return count;
}

static void add_size(topic *topic, const agreement *agreement, const cutting *cutting, const data_kind *kind,
                     size_t size)
{
    test_bytes messages[MESSAGES];
    test_bytes compressed[MESSAGES];
    session_event events[MESSAGES];
    size_t frames = 0;
    z_stream compressor;
    client_compressor_start(&compressor, &agreement->offer);
    for (size_t i = 0; i < MESSAGES; i++) {
        bool is_noise = kind->kind == JZ_MESSAGE_BINARY && i == 1;
        messages[i] = is_noise ? make_noise(topic, size, i) : make_text(topic, size, i);
        compressed[i] = client_compress(topic, &compressor, &agreement->offer, messages[i]);
        events[i] = got_and_sent_back(kind->kind, messages[i]);
        frames += frame_count(cutting, compressed[i].total);
    }
    deflateEnd(&compressor);
    session_step *steps = topic_allocate(topic, frames * sizeof *steps);
    size_t count = 0;
    for (size_t i = 0; i < MESSAGES; i++)
        count += add_frames(steps + count, cutting, kind->opcode, compressed[i]);
    topic_add(topic, (session_row){.name = topic_text(topic, "%s of %zu bytes in %s, %s", kind->name, size,
                                                      cutting->name, agreement->name),
                                   .steps = {steps, count},
                                   .events = {events, MESSAGES},
                                   .deflate = deflate_of(topic, &agreement->offer),
                                   .is_large = size >= LARGE});
}

void add_compression_size_rows(topic *topic)
{
    static const size_t sizes[] = {16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072};
    for (size_t a = 0; a < COUNT_OF(agreements); a++) {
        for (size_t c = 0; c < COUNT_OF(cuttings); c++) {
            for (size_t s = 0; s < COUNT_OF(sizes); s++)
                add_size(topic, &agreements[a], &cuttings[c], &data_kinds[(a + c + s) % 2], sizes[s]);
        }
    }
}
