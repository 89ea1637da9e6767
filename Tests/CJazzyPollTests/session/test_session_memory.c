/* What a session holds, copies and allocates, and what happens when there is no memory. */
#define _DEFAULT_SOURCE /* mincore */

#include <sys/mman.h>
#include <unistd.h>

#include "session/incoming.h"
#include "session/memory.h"
#include "session/session.h"
#include "session/outgoing.h"
#include "support/allocation.h"
#include "support/frame.h"
#include "support/testing.h"

static const uint8_t key[4] = {0x37, 0xFA, 0x21, 0x3D};
static const jz_session_settings settings = {.max_message_size = 1 << 20};

typedef struct fixture {
    jz_session session;
    jz_buffer received;
    jz_buffer output;
    jz_input input;
    jz_event event;
    jz_message message;
} fixture;

static void start(fixture *f)
{
    *f = (fixture){0};
    jz_session_init(&f->session, &settings);
}

static void peer_sends(fixture *f, const test_frame *frame)
{
    test_frame_append(&f->received, frame, key);
    f->input = (jz_input){f->received.bytes, f->received.length};
}

static bool next(fixture *f)
{
    return jz_session_next(&f->session, &f->input, &f->output, &f->event, &f->message);
}

static void finish(fixture *f)
{
    jz_session_free(&f->session);
    assert_null(f->session.incoming);
    jz_buffer_free(&f->received);
    jz_buffer_free(&f->output);
}

static void a_whole_message_is_neither_copied_nor_allocated_for(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    peer_sends(&f, &(test_frame)TEXT("Hello"));
    peer_sends(&f, &(test_frame)BINARY("World"));
    size_t before = test_allocation_count();
    assert_true(next(&f));
    assert_ptr_equal(f.message.bytes, f.received.bytes + 6);
    assert_memory_equal(f.message.bytes, "Hello", 5);
    assert_true(next(&f));
    assert_ptr_equal(f.message.bytes, f.received.bytes + 11 + 6);
    assert_false(next(&f));
    assert_int_equal(test_allocation_count(), before);
    finish(&f);
}

static void nothing_is_held_between_messages_however_they_came(void **state)
{
    (void)state;
    static const test_frame frames[] = {TEXT("whole"), TEXT_START("frag"), LAST("ments"),
                                        PING("ping"),  PONG("pong"),       BINARY("")};
    fixture f;
    start(&f);
    assert_null(f.session.incoming);
    for (size_t i = 0; i < COUNT_OF(frames); i++) {
        jz_buffer bytes = {0};
        test_frame_append(&bytes, &frames[i], key);
        for (size_t position = 0; position < bytes.length; position++) {
            f.input = (jz_input){bytes.bytes + position, 1};
            while (next(&f))
                continue;
            bool is_between = position + 1 == bytes.length && frames[i].fin;
            assert_that((f.session.incoming == NULL) == is_between, "frame %zu, byte %zu", i, position);
        }
        jz_buffer_free(&bytes);
    }
    finish(&f);
}

static void a_joined_message_is_valid_until_the_next_call(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    peer_sends(&f, &(test_frame)TEXT_START("Hel"));
    peer_sends(&f, &(test_frame)LAST("lo"));
    assert_true(next(&f));
    memset(f.received.bytes, 0xEE, f.received.length - f.input.length); /* it is not in the input */
    assert_int_equal(f.message.length, 5);
    assert_memory_equal(f.message.bytes, "Hello", 5);
    assert_false(next(&f));
    assert_null(f.session.incoming);
    finish(&f);
}

/* The bytes of whole pages that are in memory. */
static size_t resident_of(const jz_buffer *buffer)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    static unsigned char pages[1024];
    size_t in_front = (uintptr_t)buffer->bytes % page;
    size_t count = (in_front + buffer->capacity) / page;
    assert_true(count <= sizeof pages);
    assert_int_equal(mincore(buffer->bytes - in_front, count * page, pages), 0);
    size_t resident = 0;
    for (size_t i = 0; i < count; i++)
        resident += (pages[i] & 1) != 0 ? page : 0;
    return resident;
}

/* Only written pages of a mapping cost memory. */
static void expect_little_more_than(const jz_buffer *buffer, size_t come)
{
    if (jz_memory_is_mapped(buffer->capacity))
        assert_in_range(resident_of(buffer), come, 2 * come);
    else
        assert_in_range(buffer->capacity, come, come < 128 ? 256 : 2 * come);
}

static void memory_grows_with_what_has_come_not_with_what_is_claimed(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    peer_sends(&f, &(test_frame)CLAIM_OF(JZ_OPCODE_BINARY, 1 << 20, SHORTEST_LENGTH));
    assert_false(next(&f));
    assert_int_equal(f.session.incoming->payload.capacity, 0);
    uint8_t part[100] = {0};
    for (size_t come = sizeof part; come <= 100 * sizeof part; come += sizeof part) {
        f.input = (jz_input){part, sizeof part};
        assert_false(next(&f));
        assert_int_equal(f.session.incoming->payload.length, come);
        expect_little_more_than(&f.session.incoming->payload, come);
    }
    finish(&f);
}

static void memory_for_a_message_does_not_exceed_its_length(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    peer_sends(&f, &(test_frame)CLAIM_OF(JZ_OPCODE_BINARY, 1030, SHORTEST_LENGTH));
    assert_false(next(&f));
    uint8_t byte[1] = {0};
    for (size_t come = 1; come < 1030; come++) {
        f.input = (jz_input){byte, 1};
        assert_false(next(&f));
        assert_in_range(f.session.incoming->payload.capacity, come, 1030);
    }
    finish(&f);
}

static void ten_thousand_fragments_need_few_allocations(void **state)
{
    (void)state;
    enum { FRAGMENTS = 10000 };
    fixture f;
    start(&f);
    peer_sends(&f, &(test_frame)BINARY_START("0123456789"));
    for (size_t i = 1; i < FRAGMENTS; i++)
        peer_sends(&f, &(test_frame)CONTINUATION("0123456789"));
    size_t before = test_allocation_count();
    assert_false(next(&f));
    assert_int_equal(f.session.incoming->payload.length, 10 * FRAGMENTS);
    assert_in_range(test_allocation_count() - before, 1, 12); /* 256 bytes, doubled until 100,000 fit, and the frame */
    finish(&f);
}

static void the_pong_is_written_when_the_ping_is_shown(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    peer_sends(&f, &(test_frame)PING("?"));
    assert_true(next(&f));
    assert_int_equal(f.message.kind, JZ_MESSAGE_PING);
    assert_int_equal(f.output.length, 3);
    assert_memory_equal(f.output.bytes, "\x8A\x01?", 3);
    finish(&f);
}

static void a_session_can_be_freed_at_any_byte(void **state)
{
    (void)state;
    jz_buffer bytes = {0};
    static const test_frame frames[] = {TEXT_START("Hel"), PING("?"), LAST("lo"), CLOSE(1000, "bye")};
    for (size_t i = 0; i < COUNT_OF(frames); i++)
        test_frame_append(&bytes, &frames[i], key);
    for (size_t length = 0; length <= bytes.length; length++) {
        fixture f;
        start(&f);
        assert_true(jz_buffer_append(&f.received, bytes.bytes, length));
        f.input = (jz_input){f.received.bytes, length};
        while (next(&f))
            continue;
        finish(&f); /* AddressSanitizer finds leaks */
    }
    jz_buffer_free(&bytes);
}

typedef struct outcome {
    size_t messages;
    size_t errors;
    size_t closes;
    uint16_t close_code;
} outcome;

/* Runs a conversation that needs every kind of allocation; all after the first `allowed` ones fail. */
static outcome take_conversation_with_allocations(size_t allowed, jz_buffer *output)
{
    static const test_frame frames[] = {TEXT_START("Hel"), PING("?"), LAST("lo"), CLOSE(1000, "bye")};
    fixture f;
    start(&f);
    for (size_t i = 0; i < COUNT_OF(frames); i++)
        peer_sends(&f, &frames[i]);
    uint8_t *bytes = f.received.bytes;
    size_t length = f.received.length;
    outcome outcome = {0};
    test_allocations_fail_after(allowed);
    for (size_t position = 0; position < length; position++) {
        f.input = (jz_input){bytes + position, 1};
        while (next(&f)) {
            outcome.messages += f.event.type == JZ_EVENT_MESSAGE;
            outcome.closes += f.event.type == JZ_EVENT_CLOSE;
            if (f.event.type == JZ_EVENT_ERROR && f.event.failure == JZ_FAILURE_OUT_OF_MEMORY)
                outcome.errors++;
            if (f.event.type == JZ_EVENT_CLOSE)
                outcome.close_code = f.event.close_code;
        }
    }
    test_allocations_succeed();
    *output = f.output;
    f.output = (jz_buffer){0};
    finish(&f);
    return outcome;
}

static void without_memory_the_connection_fails_in_order(void **state)
{
    (void)state;
    size_t failures = 0;
    for (size_t allowed = 0;; allowed++) {
        assert_in_range(allowed, 0, 100);
        jz_buffer output;
        outcome outcome = take_conversation_with_allocations(allowed, &output);
        jz_buffer_free(&output);
        assert_that(outcome.closes == 1, "%zu close events when allocation %zu fails", outcome.closes, allowed);
        if (outcome.errors == 0) {
            assert_int_equal(outcome.close_code, 1000);
            assert_int_equal(outcome.messages, 2);
            break;
        }
        failures++;
        assert_int_equal(outcome.errors, 1);
        assert_int_equal(outcome.close_code, 1011);
    }
    assert_in_range(failures, 3, 100); /* the frame under way, its payload, the output */
}

static void the_peer_is_told_that_memory_is_out_where_there_is_room_for_it(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    assert_true(jz_buffer_reserve(&f.output, 200, SIZE_MAX));
    peer_sends(&f, &(test_frame)TEXT_START("Hel"));
    test_allocations_fail_after(0);
    bool has_error = next(&f);
    test_allocations_succeed();
    assert_true(has_error);
    assert_int_equal(f.event.type, JZ_EVENT_ERROR);
    assert_int_equal(f.event.failure, JZ_FAILURE_OUT_OF_MEMORY);
    assert_in_range(f.output.length, 4, 127);
    assert_memory_equal(f.output.bytes + 2, "\x03\xF3", 2); /* 1011 */
    assert_true(next(&f));
    assert_int_equal(f.event.type, JZ_EVENT_CLOSE);
    assert_int_equal(f.event.close_code, 1011);
    finish(&f);
}

static void without_memory_sends_are_dropped_and_the_session_goes_on(void **state)
{
    (void)state;
    fixture f;
    start(&f);
    test_allocations_fail_after(0);
    jz_send_status send = jz_session_send(&f.session, JZ_MESSAGE_TEXT, "lost", 4, &f.output);
    jz_send_status close = jz_session_close(&f.session, 1000, "lost", 4, &f.output);
    test_allocations_succeed();
    assert_int_equal(send, JZ_SEND_DROPPED);
    assert_int_equal(close, JZ_SEND_DROPPED);
    assert_int_equal(f.output.length, 0);
    assert_true(jz_session_is_open(&f.session));
    assert_int_equal(jz_session_send(&f.session, JZ_MESSAGE_TEXT, "sent", 4, &f.output), JZ_SEND_SENT);
    assert_memory_equal(f.output.bytes, "\x81\x04sent", 6);
    finish(&f);
}

static void an_open_session_is_small(void **state)
{
    (void)state;
    assert_in_range(sizeof(jz_session), 1, 64); /* one cache line: ten thousand idle ones cost no more */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_message_is_neither_copied_nor_allocated_for),
        cmocka_unit_test(nothing_is_held_between_messages_however_they_came),
        cmocka_unit_test(a_joined_message_is_valid_until_the_next_call),
        cmocka_unit_test(memory_grows_with_what_has_come_not_with_what_is_claimed),
        cmocka_unit_test(memory_for_a_message_does_not_exceed_its_length),
        cmocka_unit_test(ten_thousand_fragments_need_few_allocations),
        cmocka_unit_test(the_pong_is_written_when_the_ping_is_shown),
        cmocka_unit_test(a_session_can_be_freed_at_any_byte),
        cmocka_unit_test(without_memory_the_connection_fails_in_order),
        cmocka_unit_test(the_peer_is_told_that_memory_is_out_where_there_is_room_for_it),
        cmocka_unit_test(without_memory_sends_are_dropped_and_the_session_goes_on),
        cmocka_unit_test(an_open_session_is_small),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("session memory", tests, NULL, NULL));
}
