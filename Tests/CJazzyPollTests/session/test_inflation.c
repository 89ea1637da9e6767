/*
 * Compressed messages whose sender flushes behind every fragment, which makes them longer on their way than any that is
 * compressed as a whole: they are inflated ahead of their end (inflation.h), with little memory, and not for ever.
 */
#include <zlib.h>

#include "session/incoming.h"
#include "session/session.h"
#include "support/allocation.h"
#include "support/frame.h"
#include "support/testing.h"

/* A prime number, so that reads cut headers at every byte. */
enum { LIMIT = 64 << 10, MAX_FRAMES = 100, READ = 997 };

static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};

typedef enum context { ALONE, TAKEN_OVER } context;

typedef struct fixture {
    context context;
    z_stream peer; /* compresses as the client does */
    jz_session_settings settings;
    jz_compression_workspace workspace;
    jz_session session;
    jz_buffer output;
    jz_buffer frames; /* of the message that is to be fed */
    size_t messages;
    jz_failure failure;
    jz_buffer last; /* a copy of the last message */
} fixture;

static void start(fixture *f, context context)
{
    *f = (fixture){.context = context, .settings = {.max_message_size = LIMIT, .max_frames = MAX_FRAMES}};
    assert_true(jz_buffer_reserve(&f->last, LIMIT, SIZE_MAX));
    f->settings.workspace = &f->workspace;
    jz_session_init(&f->session, &f->settings);
    jz_session_use_deflate(&f->session, &(jz_deflate_agreement){.is_agreed = true,
                                                                .server_no_context_takeover = true,
                                                                .client_no_context_takeover = context == ALONE,
                                                                .server_max_window_bits = 15,
                                                                .client_max_window_bits = 15});
    assert_int_equal(deflateInit2(&f->peer, 6, Z_DEFLATED, -15, 8, Z_DEFAULT_STRATEGY), Z_OK);
}

static void finish(fixture *f)
{
    deflateEnd(&f->peer);
    jz_session_free(&f->session);
    jz_compression_workspace_free(&f->workspace);
    jz_buffer_free(&f->output);
    jz_buffer_free(&f->frames);
    jz_buffer_free(&f->last);
}

static void feed(fixture *f)
{
    jz_event event;
    jz_message message;
    for (size_t position = 0; position < f->frames.length; position += READ) {
        size_t left = f->frames.length - position;
        jz_input input = {f->frames.bytes + position, left < READ ? left : READ};
        while (jz_session_next(&f->session, &input, &f->output, &event, &message)) {
            if (event.type == JZ_EVENT_MESSAGE) {
                f->messages++;
                assert_in_range(message.length, 0, f->last.capacity);
                memcpy(f->last.bytes, message.bytes, message.length);
                f->last.length = message.length;
            } else if (event.type == JZ_EVENT_ERROR) {
                f->failure = event.failure;
            }
        }
    }
    f->frames.length = 0;
}

static void append_frame(fixture *f, uint8_t opcode, bool fin, const uint8_t *bytes, size_t length)
{
    const test_frame frame = {.fin = fin,
                              .opcode = opcode,
                              .reserved = opcode == JZ_OPCODE_CONTINUATION ? 0 : JZ_RSV1,
                              .payload = {(const char *)bytes, length, length}};
    test_frame_append(&f->frames, &frame, key);
}

/* A message in fragments, each of `fragment` bytes before the peer compresses and flushes it. */
static void append_flushed(fixture *f, uint8_t opcode, const jz_buffer *message, size_t fragment)
{
    if (f->context == ALONE)
        assert_int_equal(deflateReset(&f->peer), Z_OK);
    jz_buffer compressed = {0};
    assert_true(jz_buffer_reserve(&compressed, 2 * fragment + 64, SIZE_MAX));
    for (size_t position = 0; position < message->length; position += fragment) {
        size_t left = message->length - position;
        bool is_last = left <= fragment;
        f->peer.next_in = message->bytes + position;
        f->peer.avail_in = (uInt)(is_last ? left : fragment);
        f->peer.next_out = compressed.bytes;
        f->peer.avail_out = (uInt)compressed.capacity;
        assert_int_equal(deflate(&f->peer, Z_SYNC_FLUSH), Z_OK);
        assert_true(f->peer.avail_in == 0 && f->peer.avail_out > 0);
        size_t length = compressed.capacity - f->peer.avail_out;
        append_frame(f, position == 0 ? opcode : JZ_OPCODE_CONTINUATION, is_last, compressed.bytes,
                     is_last ? length - 4 : length);
    }
    jz_buffer_free(&compressed);
}

static jz_buffer text_of(size_t length)
{
    jz_buffer text = {0};
    test_bytes_append(&text, (test_bytes)REPEATED("Nothing is as good as it was. ", length));
    return text;
}

static jz_buffer noise_of(size_t length)
{
    jz_buffer noise = {0};
    uint32_t state = 1;
    for (size_t i = 0; i < length; i++) {
        state = state * 1664525 + 1013904223;
        assert_true(jz_buffer_append(&noise, &(uint8_t){(uint8_t)(state >> 24)}, 1));
    }
    return noise;
}

static void a_message_that_is_flushed_behind_every_fragment_may_be_as_large_as_the_limit(void **state)
{
    (void)state;
    static const size_t fragments[] = {1, 2, 3, 7, 16, 24, 64, 1000, LIMIT};
    jz_buffer messages[] = {text_of(LIMIT), noise_of(LIMIT), text_of(LIMIT / 3), noise_of(100)};
    for (context context = ALONE; context <= TAKEN_OVER; context++) {
        fixture f;
        start(&f, context);
        size_t count = 0;
        for (size_t i = 0; i < COUNT_OF(fragments) * COUNT_OF(messages); i++) {
            size_t fragment = fragments[i / COUNT_OF(messages)];
            const jz_buffer *message = &messages[i % COUNT_OF(messages)];
            bool is_text = message->bytes[0] == 'N';
            append_flushed(&f, is_text ? JZ_OPCODE_TEXT : JZ_OPCODE_BINARY, message, fragment);
            feed(&f);
            assert_that(f.failure == JZ_FAILURE_NONE && f.messages == ++count, "%zu bytes in fragments of %zu: %s",
                        message->length, fragment, jz_failure_text(f.failure));
            assert_int_equal(f.last.length, message->length);
            assert_memory_equal(f.last.bytes, message->bytes, message->length);
            assert_null(f.session.incoming);
        }
        finish(&f);
    }
    for (size_t i = 0; i < COUNT_OF(messages); i++)
        jz_buffer_free(&messages[i]);
}

static void one_byte_more_than_the_limit_is_too_much(void **state)
{
    (void)state;
    static const size_t fragments[] = {1, 7, 16, 1000};
    jz_buffer noise = noise_of(LIMIT + 1);
    for (size_t i = 0; i < COUNT_OF(fragments) * 2; i++) {
        fixture f;
        start(&f, i % 2 == 0 ? ALONE : TAKEN_OVER);
        append_flushed(&f, JZ_OPCODE_BINARY, &noise, fragments[i / 2]);
        feed(&f);
        assert_int_equal(f.messages, 0);
        assert_int_equal(f.failure, JZ_FAILURE_MESSAGE_TOO_BIG);
        finish(&f);
    }
    jz_buffer_free(&noise);
}

static void text_that_is_inflated_ahead_has_to_be_utf8(void **state)
{
    (void)state;
    jz_buffer text = text_of(LIMIT);
    text.bytes[LIMIT / 2] = 0xFF;
    fixture f;
    start(&f, ALONE);
    append_flushed(&f, JZ_OPCODE_TEXT, &text, 1);
    feed(&f);
    assert_int_equal(f.failure, JZ_FAILURE_INVALID_UTF8);
    finish(&f);
    jz_buffer_free(&text);
}

static void memory_stays_within_what_the_limit_allows(void **state)
{
    (void)state;
    enum { ZLIB = 64 << 10 };
    jz_buffer noise = noise_of(LIMIT);
    for (context context = ALONE; context <= TAKEN_OVER; context++) {
        fixture f;
        start(&f, context);
        append_flushed(&f, JZ_OPCODE_BINARY, &noise, 1);
        assert_in_range(f.frames.length, 10 * LIMIT, 16 * LIMIT);
        size_t before = test_live_bytes();
        size_t allocations = test_allocation_count();
        test_most_live_bytes();
        feed(&f);
        assert_int_equal(f.messages, 1);
        assert_in_range(test_most_live_bytes() - before, LIMIT, LIMIT + LIMIT + LIMIT / 2 + ZLIB);
        assert_in_range(test_allocation_count() - allocations, 1, 64);
        finish(&f);
    }
    jz_buffer_free(&noise);
}

#define EMPTY_BLOCK "\x00\x00\x00\xFF\xFF"

/* Feeds frames of empty blocks, `count` of them each, until the session fails or it has taken a hundred limits. */
static jz_failure feed_empty_blocks(uint32_t max_frames, size_t count, uint64_t *taken)
{
    fixture f;
    start(&f, ALONE);
    f.settings.max_frames = max_frames;
    jz_buffer blocks = {0};
    test_bytes_append(&blocks, (test_bytes)REPEATED(EMPTY_BLOCK, 5 * count));
    append_frame(&f, JZ_OPCODE_BINARY, false, blocks.bytes, blocks.length);
    feed(&f);
    for (*taken = 0; *taken < 100 * LIMIT && f.failure == JZ_FAILURE_NONE; *taken += blocks.length) {
        append_frame(&f, JZ_OPCODE_CONTINUATION, false, blocks.bytes, blocks.length);
        feed(&f);
    }
    jz_failure failure = f.failure;
    jz_buffer_free(&blocks);
    finish(&f);
    return failure;
}

static void flushes_that_bring_nothing_end(void **state)
{
    (void)state;
    uint64_t taken;
    assert_int_equal(feed_empty_blocks(MAX_FRAMES, 1, &taken), JZ_FAILURE_TOO_MANY_FRAMES);
    assert_in_range(taken, LIMIT, 2 * LIMIT);
    assert_int_equal(feed_empty_blocks(MAX_FRAMES, 100, &taken), JZ_FAILURE_TOO_MANY_FRAMES);
    assert_in_range(taken, LIMIT, 2 * LIMIT);
    assert_int_equal(feed_empty_blocks(UINT32_MAX - 1, 100, &taken), JZ_FAILURE_MESSAGE_TOO_BIG);
    assert_in_range(taken, LIMIT, 3 * LIMIT);
    assert_int_equal(feed_empty_blocks(MAX_FRAMES, 10000, &taken), JZ_FAILURE_MESSAGE_TOO_BIG);
    assert_in_range(taken, LIMIT, 3 * LIMIT);
    /* Without a limit of frames this is allowed, too; it costs no memory. */
    assert_int_equal(feed_empty_blocks(0, 1, &taken), JZ_FAILURE_NONE);
}

static void garbage_is_found_where_it_is_inflated(void **state)
{
    (void)state;
    jz_buffer noise = noise_of(2 * LIMIT);
    fixture f;
    start(&f, ALONE);
    append_frame(&f, JZ_OPCODE_BINARY, false, (const uint8_t *)"\x06", 1); /* a block of the reserved type */
    append_frame(&f, JZ_OPCODE_CONTINUATION, false, noise.bytes, LIMIT);
    feed(&f);
    assert_int_equal(f.failure, JZ_FAILURE_NONE);
    append_frame(&f, JZ_OPCODE_CONTINUATION, false, noise.bytes, LIMIT);
    feed(&f);
    assert_int_equal(f.failure, JZ_FAILURE_INVALID_COMPRESSION);
    finish(&f);
    jz_buffer_free(&noise);
}

static void a_session_can_end_while_a_message_is_inflated(void **state)
{
    (void)state;
    jz_buffer noise = noise_of(LIMIT);
    for (context context = ALONE; context <= TAKEN_OVER; context++) {
        fixture f;
        start(&f, context);
        append_flushed(&f, JZ_OPCODE_BINARY, &noise, 1);
        f.frames.length -= 20;
        feed(&f);
        assert_non_null(f.session.incoming->inflation);
        finish(&f); /* AddressSanitizer finds leaks */
    }
    jz_buffer_free(&noise);
}

static void without_memory_the_connection_fails(void **state)
{
    (void)state;
    jz_buffer noise = noise_of(LIMIT);
    for (context context = ALONE; context <= TAKEN_OVER; context++) {
        size_t failures = 0;
        for (size_t allowed = 0;; allowed++) {
            fixture f;
            start(&f, context);
            append_flushed(&f, JZ_OPCODE_BINARY, &noise, 4);
            test_allocations_fail_after(allowed);
            feed(&f);
            test_allocations_succeed();
            jz_failure failure = f.failure;
            size_t messages = f.messages;
            finish(&f);
            if (failure == JZ_FAILURE_NONE) {
                assert_int_equal(messages, 1);
                break;
            }
            assert_int_equal(failure, JZ_FAILURE_OUT_OF_MEMORY);
            failures++;
        }
        assert_in_range(failures, 10, 60);
    }
    jz_buffer_free(&noise);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_that_is_flushed_behind_every_fragment_may_be_as_large_as_the_limit),
        cmocka_unit_test(one_byte_more_than_the_limit_is_too_much),
        cmocka_unit_test(text_that_is_inflated_ahead_has_to_be_utf8),
        cmocka_unit_test(memory_stays_within_what_the_limit_allows),
        cmocka_unit_test(flushes_that_bring_nothing_end),
        cmocka_unit_test(garbage_is_found_where_it_is_inflated),
        cmocka_unit_test(a_session_can_end_while_a_message_is_inflated),
        cmocka_unit_test(without_memory_the_connection_fails),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("inflation", tests, NULL, NULL));
}
