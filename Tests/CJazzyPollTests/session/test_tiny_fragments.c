/* Honest messages of very small fragments, with the options of a server that chose none; and what such fragments cost.
 */
#include "session/incoming.h"
#include "session/session.h"
#include "jazzy/options.h"
#include "support/allocation.h"
#include "support/frame.h"
#include "support/testing.h"

enum { MEBIBYTE = 1 << 20, READ = 512 << 10, ROUNDED = 16384 /* rounding by the allocator, and the current frame */ };

static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};

/* A session with a route's default options, and the results of its input. */
typedef struct fixture {
    jz_session_settings settings;
    jz_compression_workspace workspace;
    jz_session session;
    jz_buffer output;
    size_t messages;
    jz_failure failure;
    jz_buffer last; /* a copy of the last message */
} fixture;

static void start(fixture *f, bool uses_deflate)
{
    jz_options options = jz_options_default();
    *f = (fixture){.settings = {.max_message_size = options.max_message_size,
                                .max_frames = options.max_frames_per_message,
                                .deflate = jz_route_options_default().deflate}};
    f->settings.workspace = &f->workspace;
    jz_session_init(&f->session, &f->settings);
    if (uses_deflate)
        jz_session_use_deflate(&f->session, &(jz_deflate_agreement){.is_agreed = true,
                                                                    .server_no_context_takeover = true,
                                                                    .client_no_context_takeover = true,
                                                                    .server_max_window_bits = 15,
                                                                    .client_max_window_bits = 15});
}

static void feed(fixture *f, const jz_buffer *received)
{
    jz_event event;
    jz_message message;
    for (size_t position = 0; position < received->length; position += READ) {
        size_t left = received->length - position;
        jz_input input = {received->bytes + position, left < READ ? left : READ};
        while (jz_session_next(&f->session, &input, &f->output, &event, &message)) {
            if (event.type == JZ_EVENT_MESSAGE) {
                f->messages++;
                f->last.length = 0;
                assert_true(jz_buffer_append(&f->last, message.bytes, message.length));
            } else if (event.type == JZ_EVENT_ERROR) {
                f->failure = event.failure;
            }
        }
    }
}

static void finish(fixture *f)
{
    jz_session_free(&f->session);
    jz_compression_workspace_free(&f->workspace);
    jz_buffer_free(&f->output);
    jz_buffer_free(&f->last);
}

/* Frames of `length` bytes each that `payload` is made of; the last is shorter where it does not divide. */
static jz_buffer in_fragments(const jz_buffer *payload, size_t length, uint8_t opcode, uint8_t reserved)
{
    jz_buffer frames = {0};
    for (size_t position = 0; position < payload->length; position += length) {
        size_t left = payload->length - position;
        size_t count = left < length ? left : length;
        bool is_first = position == 0;
        const test_frame frame = {
            .fin = left <= length,
            .opcode = is_first ? opcode : JZ_OPCODE_CONTINUATION,
            .reserved = is_first ? reserved : 0,
            .payload = {(const char *)payload->bytes + position, count, count},
        };
        test_frame_append(&frames, &frame, key);
    }
    return frames;
}

static jz_buffer text_of(size_t length)
{
    jz_buffer text = {0};
    test_bytes_append(&text, (test_bytes)REPEATED("sm\xC3\xB8rrebr\xC3\xB8"
                                                  "d! ",
                                                  length));
    return text;
}

static void a_message_within_the_size_limit_comes_in_fragments_of_any_size(void **state)
{
    (void)state;
    static const size_t lengths[] = {1, 2, 3, 7, 16, 64, 125, 126, 4096};
    static const uint8_t opcodes[] = {JZ_OPCODE_TEXT, JZ_OPCODE_BINARY};
    jz_buffer whole = text_of(MEBIBYTE);
    for (size_t i = 0; i < COUNT_OF(lengths) * COUNT_OF(opcodes); i++) {
        size_t length = lengths[i / COUNT_OF(opcodes)];
        jz_buffer frames = in_fragments(&whole, length, opcodes[i % COUNT_OF(opcodes)], 0);
        fixture f;
        start(&f, false);
        feed(&f, &frames);
        assert_that(f.failure == JZ_FAILURE_NONE && f.messages == 1, "fragments of %zu bytes: %s", length,
                    jz_failure_text(f.failure));
        assert_int_equal(f.last.length, whole.length);
        assert_memory_equal(f.last.bytes, whole.bytes, whole.length);
        finish(&f);
        jz_buffer_free(&frames);
    }
    jz_buffer_free(&whole);
}

/*
 * The output of a client that flushes its compressor after every few random bytes: stored blocks of twenty bytes, each
 * with five bytes of overhead; in all a quarter more than the message.
 */
static jz_buffer poorly_compressed(size_t *length)
{
    enum { BLOCK = 20, BLOCKS = MEBIBYTE / BLOCK };
    jz_buffer blocks = {0};
    for (size_t i = 0; i < BLOCKS; i++) {
        static const uint8_t stored[] = {0, BLOCK, 0, 0xFF - BLOCK, 0xFF};
        assert_true(jz_buffer_append(&blocks, stored, sizeof stored));
        test_bytes_append(&blocks, (test_bytes)REPEATED("x", BLOCK));
    }
    assert_true(jz_buffer_append(&blocks, "\x00", 1));
    *length = (size_t)BLOCK * BLOCKS;
    return blocks;
}

static void a_compressed_message_comes_in_fragments_of_a_byte(void **state)
{
    (void)state;
    size_t length;
    jz_buffer whole = poorly_compressed(&length);
    jz_buffer frames = in_fragments(&whole, 1, JZ_OPCODE_BINARY, JZ_RSV1);
    fixture f;
    start(&f, true);
    size_t before = test_allocation_count();
    feed(&f, &frames);
    assert_int_equal(f.failure, JZ_FAILURE_NONE);
    assert_int_equal(f.messages, 1);
    assert_int_equal(f.last.length, length);
    /* Buffers that grow by doubling, and what zlib needs: nothing for a fragment, up to the last. */
    assert_in_range(test_allocation_count() - before, 1, 64);
    finish(&f);
    jz_buffer_free(&frames);
    jz_buffer_free(&whole);
}

static void memory_does_not_grow_with_fragments(void **state)
{
    (void)state;
    jz_buffer whole = text_of(MEBIBYTE - 1);
    jz_buffer frames = in_fragments(&whole, 1, JZ_OPCODE_BINARY, 0);
    frames.length -= 7; /* the last frame is not there yet */
    fixture f;
    start(&f, false);
    size_t allocations = test_allocation_count();
    size_t bytes = test_live_bytes();
    feed(&f, &frames);
    assert_int_equal(f.session.incoming->payload.length, MEBIBYTE - 2);
    assert_in_range(test_allocation_count() - allocations, 1, 16); /* 256 bytes, doubled until a mebibyte fits */
    assert_in_range(test_live_bytes() - bytes, 1, MEBIBYTE + ROUNDED);
    finish(&f);
    jz_buffer_free(&frames);
    jz_buffer_free(&whole);
}

static void empty_fragments_without_end_end(void **state)
{
    (void)state;
    static const size_t come[] = {0, 1, 1000, MEBIBYTE};
    uint32_t max_frames = jz_options_default().max_frames_per_message;
    for (size_t i = 0; i < COUNT_OF(come); i++) {
        jz_buffer begun = {0};
        const test_frame first = {.opcode = JZ_OPCODE_BINARY, .payload = REPEATED("x", come[i])};
        test_frame_append(&begun, &first, key);
        fixture f;
        start(&f, false);
        feed(&f, &begun);
        jz_buffer empty = {0};
        size_t allowed = max_frames + come[i] - 1;
        for (size_t k = 0; k < allowed; k++)
            test_frame_append(&empty, &(test_frame)CONTINUATION(""), key);
        feed(&f, &empty);
        assert_that(f.failure == JZ_FAILURE_NONE, "behind %zu bytes it ends too early", come[i]);
        empty.length = 0;
        test_frame_append(&empty, &(test_frame)CONTINUATION(""), key);
        feed(&f, &empty);
        assert_that(f.failure == JZ_FAILURE_TOO_MANY_FRAMES, "behind %zu bytes it does not end", come[i]);
        jz_buffer_free(&empty);
        jz_buffer_free(&begun);
        finish(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_within_the_size_limit_comes_in_fragments_of_any_size),
        cmocka_unit_test(a_compressed_message_comes_in_fragments_of_a_byte),
        cmocka_unit_test(memory_does_not_grow_with_fragments),
        cmocka_unit_test(empty_fragments_without_end_end),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("tiny fragments", tests, NULL, NULL));
}
