/* How large the payload of a compressed message may be: what counts is the message (jz_route_options). */
#include <zlib.h>

#include "session/session.h"
#include "support/frame.h"
#include "support/random.h"
#include "support/testing.h"

enum { LIMIT = 65536 };

static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};
static const jz_deflate_agreement agreement = {.is_agreed = true,
                                               .server_no_context_takeover = true,
                                               .client_no_context_takeover = true,
                                               .server_max_window_bits = 15,
                                               .client_max_window_bits = 15};

/* A client's compressor, and the lowest and highest byte of messages that it makes larger. */
typedef struct growth {
    const char *name;
    int level;
    int memory_level;
    int strategy;
    uint8_t lowest_byte;
    uint8_t highest_byte;
} growth;

static const growth growths[] = {
    {"noise with zlib's defaults", 6, 8, Z_DEFAULT_STRATEGY, 0, 255},
    {"noise with zlib's smallest memory", 9, 1, Z_DEFAULT_STRATEGY, 0, 255},
    {"noise in stored blocks", 0, 1, Z_DEFAULT_STRATEGY, 0, 255},
    {"bytes that the fixed code makes longest", 9, 8, Z_FIXED, 144, 255},
};

static void compress_noise(const growth *growth, uint8_t noise[LIMIT], jz_buffer *compressed)
{
    test_random random = {1};
    for (size_t i = 0; i < LIMIT; i++)
        noise[i] = (uint8_t)(growth->lowest_byte +
                             test_random_below(&random, 1u + growth->highest_byte - growth->lowest_byte));
    z_stream stream = {0};
    assert_int_equal(deflateInit2(&stream, growth->level, Z_DEFLATED, -15, growth->memory_level, growth->strategy),
                     Z_OK);
    assert_true(jz_buffer_reserve(compressed, LIMIT * 2, SIZE_MAX));
    stream.next_in = noise;
    stream.avail_in = LIMIT;
    stream.next_out = compressed->bytes;
    stream.avail_out = LIMIT * 2;
    assert_int_equal(deflate(&stream, Z_SYNC_FLUSH), Z_OK);
    compressed->length = LIMIT * 2 - stream.avail_out - 4;
    deflateEnd(&stream);
    assert_that(compressed->length > LIMIT, "%s: it has not become larger", growth->name);
}

/* Feeds frames to a session with the limit. Returns the first event. */
static jz_event feed(jz_session *session, jz_buffer *received, jz_message *message)
{
    jz_buffer output = {0};
    jz_input input = {received->bytes, received->length};
    jz_event event = {.type = JZ_EVENT_OPEN};
    assert_true(jz_session_next(session, &input, &output, &event, message));
    jz_buffer_free(&output);
    return event;
}

static void a_message_at_the_limit_may_have_become_larger(void **state)
{
    (void)state;
    static uint8_t noise[LIMIT];
    for (size_t i = 0; i < COUNT_OF(growths); i++) {
        jz_buffer compressed = {0};
        jz_buffer received = {0};
        compress_noise(&growths[i], noise, &compressed);
        const char *payload = (const char *)compressed.bytes;
        size_t first = compressed.length / 2;
        size_t second = compressed.length - first;
        const test_frame frames[] = {
            {.opcode = JZ_OPCODE_BINARY, .reserved = JZ_RSV1, .payload = {payload, first, first}},
            {.fin = true, .opcode = JZ_OPCODE_CONTINUATION, .payload = {payload + first, second, second}}};
        test_frame_append(&received, &frames[0], key);
        test_frame_append(&received, &frames[1], key);

        jz_compression_workspace workspace = {0};
        const jz_session_settings settings = {.max_message_size = LIMIT, .workspace = &workspace};
        jz_session session;
        jz_message message;
        jz_session_init(&session, &settings);
        jz_session_use_deflate(&session, &agreement);
        jz_event event = feed(&session, &received, &message);
        assert_that(event.type == JZ_EVENT_MESSAGE, "%s: %s", growths[i].name, jz_failure_text(event.failure));
        assert_int_equal(message.length, LIMIT);
        assert_memory_equal(message.bytes, noise, LIMIT);

        jz_session_free(&session);
        jz_compression_workspace_free(&workspace);
        jz_buffer_free(&compressed);
        jz_buffer_free(&received);
    }
}

static void a_payload_that_no_such_message_has_is_refused_by_its_header(void **state)
{
    (void)state;
    jz_compression_workspace workspace = {0};
    const jz_session_settings settings = {.max_message_size = LIMIT, .workspace = &workspace};
    jz_session session;
    jz_session_init(&session, &settings);
    jz_session_use_deflate(&session, &agreement);
    jz_buffer received = {0};
    jz_message message;
    const test_frame header = {
        .fin = true, .opcode = JZ_OPCODE_BINARY, .reserved = JZ_RSV1, .claimed_length = LIMIT * 2};
    test_frame_append(&received, &header, key);
    jz_event event = feed(&session, &received, &message);
    assert_int_equal(event.type, JZ_EVENT_ERROR);
    assert_int_equal(event.failure, JZ_FAILURE_MESSAGE_TOO_BIG);
    jz_session_free(&session);
    jz_buffer_free(&received);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_at_the_limit_may_have_become_larger),
        cmocka_unit_test(a_payload_that_no_such_message_has_is_refused_by_its_header),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests(tests, NULL, NULL));
}
