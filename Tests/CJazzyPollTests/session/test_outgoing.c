#include "session/outgoing.h"

#include "codec/utf8.h"
#include "jazzy/event.h"
#include "support/allocation.h"
#include "support/frame.h"
#include "support/testing.h"

/* Each is appended by jz_append_frame, and compared with the frame of the tests' own frame builder. */
static const test_frame frames[] = {
    TEXT("Hello"),
    TEXT(""),
    BINARY("\0\xFF"),
    PING("?"),
    PONG_OF(REPEATED("x", 125)),
    TEXT_OF(REPEATED("x", 125)),
    TEXT_OF(REPEATED("x", 126)),
    TEXT_OF(REPEATED("x", 65535)),
    TEXT_OF(REPEATED("x", 65536)),
    {.fin = true, .opcode = JZ_OPCODE_BINARY, .reserved = JZ_RSV1, .payload = BYTES("compressed")},
    CLOSE_WITHOUT_CODE,
};

static void frames_are_appended_one_after_another(void **state)
{
    (void)state;
    jz_buffer expected = {0};
    jz_buffer output = {0};
    for (size_t i = 0; i < COUNT_OF(frames); i++) {
        jz_buffer payload = {0};
        test_bytes_append(&payload, frames[i].payload);
        assert_true(jz_append_frame(&output, frames[i].opcode, frames[i].reserved, payload.bytes, payload.length));
        jz_buffer_free(&payload);
        test_frame_append(&expected, &frames[i], NULL);
        assert_that(output.length == expected.length, "frame %zu", i);
        assert_memory_equal(output.bytes, expected.bytes, expected.length);
    }
    jz_buffer_free(&output);
    jz_buffer_free(&expected);
}

static void check_close_frame(uint16_t code, const char *reason, size_t length, const char *expected,
                              size_t expected_length)
{
    jz_buffer output = {0};
    assert_true(jz_append_close_frame(&output, code, reason, length));
    assert_int_equal(output.length, expected_length);
    assert_memory_equal(output.bytes, expected, expected_length);
    jz_buffer_free(&output);
}

static void a_close_frame_holds_the_code_and_the_reason(void **state)
{
    (void)state;
    check_close_frame(1000, NULL, 0, "\x88\x02\x03\xE8", 4);
    check_close_frame(1001, "bye", 3,
                      "\x88\x05\x03\xE9"
                      "bye",
                      7);
    check_close_frame(4999, "", 0, "\x88\x02\x13\x87", 4);
}

static void without_a_code_a_close_frame_is_empty(void **state)
{
    (void)state;
    check_close_frame(JZ_CLOSE_NO_STATUS, NULL, 0, "\x88\x00", 2);
    check_close_frame(JZ_CLOSE_NO_STATUS, "ignored", 7, "\x88\x00", 2);
}

/* Characters of each length, beginning at every place around the limit. */
static void a_long_reason_is_cut_at_the_last_character_end_that_fits(void **state)
{
    (void)state;
    static const char *const characters[] = {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x8E\xB7"};
    for (size_t width = 1; width <= COUNT_OF(characters); width++) {
        for (size_t lead = 0; lead <= 130; lead++) {
            char reason[200];
            size_t length = lead;
            size_t expected = lead < 123 ? lead : 123;
            memset(reason, '.', lead);
            while (length + width <= sizeof reason) {
                memcpy(reason + length, characters[width - 1], width);
                length += width;
                if (length <= 123)
                    expected = length;
            }
            jz_buffer output = {0};
            assert_true(jz_append_close_frame(&output, 1000, reason, length));
            assert_that(output.length == 4 + expected, "%zu instead of %zu bytes of %zu-byte characters after %zu",
                        output.length - 4, expected, width, lead);
            assert_int_equal(output.bytes[1], 2 + expected);
            assert_memory_equal(output.bytes + 4, reason, expected);
            assert_true(jz_utf8_is_valid(output.bytes + 4, expected));
            jz_buffer_free(&output);
        }
    }
}

static void a_reason_that_just_fits_is_not_cut(void **state)
{
    (void)state;
    char reason[124];
    memset(reason, '.', sizeof reason);
    memcpy(reason + 121, "\xC3\xA9\xA9", 3); /* nothing behind the reason is read */
    jz_buffer output = {0};
    assert_true(jz_append_close_frame(&output, 1000, reason, 123));
    assert_int_equal(output.length, 2 + JZ_MAX_CONTROL_PAYLOAD);
    assert_memory_equal(output.bytes + 4, reason, 123);
    jz_buffer_free(&output);
}

static void without_memory_nothing_is_appended(void **state)
{
    (void)state;
    jz_buffer output = {0};
    assert_true(jz_append_frame(&output, JZ_OPCODE_TEXT, 0, "kept", 4));
    output.capacity = output.length; /* the next byte needs an allocation */
    size_t length = output.length;
    test_allocations_fail_after(0);
    bool was_frame_appended = jz_append_frame(&output, JZ_OPCODE_TEXT, 0, "lost", 4);
    bool was_close_appended = jz_append_close_frame(&output, 1000, "lost", 4);
    test_allocations_succeed();
    assert_false(was_frame_appended);
    assert_false(was_close_appended);
    assert_int_equal(output.length, length);
    assert_memory_equal(output.bytes, "\x81\x04kept", 6);
    jz_buffer_free(&output);
}

static void a_length_beyond_all_sizes_is_refused(void **state)
{
    (void)state;
    jz_buffer output = {0};
    assert_false(jz_append_frame(&output, JZ_OPCODE_BINARY, 0, "", SIZE_MAX));
    assert_false(jz_append_frame(&output, JZ_OPCODE_BINARY, 0, "", SIZE_MAX - JZ_MAX_SENT_FRAME_HEADER + 1));
    assert_int_equal(output.length, 0);
    jz_buffer_free(&output);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_appended_one_after_another),
        cmocka_unit_test(a_close_frame_holds_the_code_and_the_reason),
        cmocka_unit_test(without_a_code_a_close_frame_is_empty),
        cmocka_unit_test(a_long_reason_is_cut_at_the_last_character_end_that_fits),
        cmocka_unit_test(a_reason_that_just_fits_is_not_cut),
        cmocka_unit_test(without_memory_nothing_is_appended),
        cmocka_unit_test(a_length_beyond_all_sizes_is_refused),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("outgoing", tests, NULL, NULL));
}
