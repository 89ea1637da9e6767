/*
 * Every allocation of a conversation fails once, and in further runs it and all that follow it do. However that ends,
 * nothing crashes or leaks, the events are in order, and the peer understands every byte that was sent.
 */
#include "session/session.h"
#include "session/outgoing.h"
#include "support/allocation.h"
#include "support/content.h"
#include "support/frame.h"
#include "support/testing.h"
#include "support/zlib_peer.h"

static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};

enum { MESSAGES = 8, MOST_ALLOCATIONS = 2000 };

typedef struct mode {
    const char *name;
    jz_deflate_agreement agreement;
} mode;

static const mode modes[] = {
    {"uncompressed", {0}},
    {"compressed, shared",
     {.is_agreed = true,
      .server_no_context_takeover = true,
      .client_no_context_takeover = true,
      .server_max_window_bits = 15,
      .client_max_window_bits = 15}},
    {"compressed, dedicated", {.is_agreed = true, .server_max_window_bits = 10, .client_max_window_bits = 15}},
    {"compressed, our context alone",
     {.is_agreed = true,
      .client_no_context_takeover = true,
      .server_max_window_bits = 9,
      .client_max_window_bits = 15}},
};

/* The client's messages: text and noise, short and long, whole and in fragments with pings between them. */
typedef struct conversation {
    jz_buffer messages[MESSAGES];
    jz_buffer bytes;
} conversation;

static void append_frame(conversation *talk, bool fin, uint8_t reserved, uint8_t opcode, const uint8_t *payload,
                         size_t length)
{
    const test_frame frame = {
        .fin = fin, .reserved = reserved, .opcode = opcode, .payload = {(const char *)payload, length, length}};
    test_frame_append(&talk->bytes, &frame, key);
}

static void append_message(conversation *talk, bool is_fragmented, uint8_t reserved, const jz_buffer *payload)
{
    size_t first = is_fragmented ? payload->length / 3 : payload->length;
    append_frame(talk, !is_fragmented, reserved, JZ_OPCODE_BINARY, payload->bytes, first);
    if (!is_fragmented)
        return;
    append_frame(talk, true, 0, JZ_OPCODE_PING, (const uint8_t *)"ping", 4);
    append_frame(talk, false, 0, JZ_OPCODE_CONTINUATION, payload->bytes + first, first);
    append_frame(talk, true, 0, JZ_OPCODE_CONTINUATION, payload->bytes + 2 * first, payload->length - 2 * first);
}

static void make_conversation(conversation *talk, const jz_deflate_agreement *agreement)
{
    static const size_t lengths[MESSAGES] = {5, 300, 300, 5000, 300, 5000, 300, 40};
    test_random random = {.state = 1};
    zlib_peer client;
    zlib_peer_start(&client, 15, 15);
    for (size_t i = 0; i < MESSAGES; i++) {
        jz_buffer *message = &talk->messages[i];
        test_content_fill(message, i == 5 ? NOISE : LETTERS, lengths[i], &random);
        jz_buffer payload = {0};
        if (agreement->client_no_context_takeover)
            zlib_peer_forget_compression(&client);
        if (agreement->is_agreed)
            zlib_peer_compress(&client, message->bytes, message->length, &payload);
        append_message(talk, i % 2 == 1, agreement->is_agreed ? JZ_RSV1 : 0, agreement->is_agreed ? &payload : message);
        jz_buffer_free(&payload);
    }
    append_frame(talk, true, 0, JZ_OPCODE_CLOSE, (const uint8_t *)"\x03\xE8", 2);
    zlib_peer_finish(&client);
}

static void free_conversation(conversation *talk)
{
    for (size_t i = 0; i < MESSAGES; i++)
        jz_buffer_free(&talk->messages[i]);
    jz_buffer_free(&talk->bytes);
}

/* How a run went. */
typedef struct outcome {
    size_t refused; /* allocations that failed */
    size_t received;
    size_t wrong;
    size_t errors;
    size_t closes;
    bool is_after_close;
    jz_buffer output;
} outcome;

static void note(outcome *outcome, const conversation *talk, const jz_event *event, const jz_message *message)
{
    outcome->wrong += outcome->closes > 0 || (outcome->errors > 0 && event->type != JZ_EVENT_CLOSE) ? 1 : 0;
    if (event->type == JZ_EVENT_ERROR) {
        outcome->errors++;
        outcome->wrong += event->failure == JZ_FAILURE_OUT_OF_MEMORY ? 0 : 1;
    } else if (event->type == JZ_EVENT_CLOSE) {
        outcome->closes++;
        outcome->wrong += event->close_code == (outcome->errors > 0 ? 1011 : 1000) ? 0 : 1;
    } else if (message->kind == JZ_MESSAGE_BINARY) {
        const jz_buffer *expected = &talk->messages[outcome->received++];
        bool is_equal =
            message->length == expected->length && memcmp(message->bytes, expected->bytes, expected->length) == 0;
        outcome->wrong += is_equal ? 0 : 1;
    }
}

/* Feeds `step` bytes at a time, and sends every message back. Asserts nothing, as allocations may fail here. */
static void converse(outcome *outcome, const conversation *talk, const jz_deflate_agreement *agreement, size_t step)
{
    static uint8_t received[1 << 16];
    jz_compression_workspace workspace = {0};
    const jz_session_settings settings = {
        .max_message_size = 1 << 20,
        .deflate = {.mode = JZ_DEFLATE_DEDICATED, .window_bits = 15, .memory_level = 1, .level = 6},
        .workspace = &workspace};
    jz_session session;
    jz_session_init(&session, &settings);
    jz_session_use_deflate(&session, agreement);
    memcpy(received, talk->bytes.bytes, talk->bytes.length);
    for (size_t position = 0; position < talk->bytes.length; position += step) {
        size_t rest = talk->bytes.length - position;
        jz_input input = {received + position, rest < step ? rest : step};
        jz_event event;
        jz_message message;
        while (jz_session_next(&session, &input, &outcome->output, &event, &message)) {
            note(outcome, talk, &event, &message);
            if (event.type == JZ_EVENT_MESSAGE && message.kind == JZ_MESSAGE_BINARY)
                jz_session_send(&session, JZ_MESSAGE_BINARY, message.bytes, message.length, &outcome->output);
        }
    }
    jz_session_free(&session);
    jz_compression_workspace_free(&workspace);
}

/*
 * The message that the peer decompresses must be the one that was received then, or a later one if sends were dropped.
 */
static bool find_message(const conversation *talk, const jz_buffer *message, size_t *next)
{
    while (*next < MESSAGES) {
        const jz_buffer *candidate = &talk->messages[(*next)++];
        if (candidate->length == message->length && memcmp(candidate->bytes, message->bytes, message->length) == 0)
            return true;
    }
    return false;
}

static void expect_understood(const outcome *outcome, const conversation *talk, const jz_deflate_agreement *agreement)
{
    zlib_peer client;
    jz_buffer message = {0};
    size_t next = 0;
    zlib_peer_start(&client, 15, agreement->is_agreed ? agreement->server_max_window_bits : 15);
    for (size_t position = 0; position < outcome->output.length;) {
        jz_frame_header header;
        size_t rest = outcome->output.length - position;
        assert_true(jz_frame_header_decode(outcome->output.bytes + position, rest, &header));
        assert_true(header.fin && header.payload_length <= rest - header.header_length);
        const uint8_t *payload = outcome->output.bytes + position + header.header_length;
        size_t length = (size_t)header.payload_length;
        position += header.header_length + length;
        if (header.opcode == JZ_OPCODE_PONG)
            assert_memory_equal(payload, "ping", 4);
        if (header.opcode != JZ_OPCODE_BINARY)
            continue;
        if (agreement->server_no_context_takeover)
            zlib_peer_forget_decompression(&client);
        message.length = 0;
        if (header.reserved == JZ_RSV1)
            assert_true(zlib_peer_decompress(&client, payload, length, &message));
        else
            assert_true(jz_buffer_append(&message, payload, length));
        assert_true(find_message(talk, &message, &next));
    }
    zlib_peer_finish(&client);
    jz_buffer_free(&message);
}

typedef void fail_allocations(size_t count);

/* Walks all allocations. Returns how many there are in a conversation that has all that it needs. */
static size_t walk(const mode *mode, size_t step, fail_allocations *begin_failing)
{
    for (size_t allowed = 0; allowed < MOST_ALLOCATIONS; allowed++) {
        size_t live = test_live_allocations();
        conversation talk = {0};
        make_conversation(&talk, &mode->agreement);
        outcome outcome = {0};
        begin_failing(allowed);
        converse(&outcome, &talk, &mode->agreement, step);
        outcome.refused = test_allocations_succeed();
        assert_that(outcome.wrong == 0 && outcome.closes == 1,
                    "%s, %zu bytes at a time, allocation %zu: %zu closes, %zu wrong events", mode->name, step, allowed,
                    outcome.closes, outcome.wrong);
        assert_true(outcome.refused > 0 || outcome.received == MESSAGES);
        expect_understood(&outcome, &talk, &mode->agreement);
        jz_buffer_free(&outcome.output);
        free_conversation(&talk);
        assert_that(test_live_allocations() == live, "%s, allocation %zu: %zu leaks", mode->name, allowed,
                    test_live_allocations() - live);
        if (outcome.refused == 0)
            return allowed;
    }
    fail_msg("%s: no end of allocations", mode->name);
    return 0;
}

static void walk_all(fail_allocations *begin_failing)
{
    static const size_t steps[] = {1 << 20, 1, 7};
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        for (size_t j = 0; j < COUNT_OF(steps); j++)
            assert_in_range(walk(&modes[i], steps[j], begin_failing), 10, MOST_ALLOCATIONS);
    }
}

static void one_allocation_that_fails_does_no_harm(void **state)
{
    (void)state;
    walk_all(test_allocation_fails_once_after);
}

static void the_end_of_all_memory_does_no_harm(void **state)
{
    (void)state;
    walk_all(test_allocations_fail_after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_allocation_that_fails_does_no_harm),
        cmocka_unit_test(the_end_of_all_memory_does_no_harm),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("allocation failures in sessions", tests, NULL, NULL));
}
