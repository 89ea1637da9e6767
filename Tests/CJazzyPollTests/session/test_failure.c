#include "jazzy.h"

#include "support/testing.h"

/* RFC 6455 §7.4.1: which code a peer is sent for breaking which rule. */
static const struct {
    jz_failure failure;
    uint16_t close_code;
} failures[] = {
    {JZ_FAILURE_NONE, 1006},
    {JZ_FAILURE_RESERVED_BITS, 1002},
    {JZ_FAILURE_RESERVED_OPCODE, 1002},
    {JZ_FAILURE_NOT_MASKED, 1002},
    {JZ_FAILURE_LENGTH_NOT_MINIMAL, 1002},
    {JZ_FAILURE_LENGTH_TOO_LARGE, 1002},
    {JZ_FAILURE_CONTROL_FRAGMENTED, 1002},
    {JZ_FAILURE_CONTROL_TOO_LONG, 1002},
    {JZ_FAILURE_UNEXPECTED_CONTINUATION, 1002},
    {JZ_FAILURE_EXPECTED_CONTINUATION, 1002},
    {JZ_FAILURE_INVALID_UTF8, 1007},
    {JZ_FAILURE_INVALID_CLOSE_LENGTH, 1002},
    {JZ_FAILURE_INVALID_CLOSE_CODE, 1002},
    {JZ_FAILURE_MESSAGE_TOO_BIG, 1009},
    {JZ_FAILURE_TOO_MANY_FRAMES, 1009},
    {JZ_FAILURE_INVALID_COMPRESSION, 1007},
    {JZ_FAILURE_OUT_OF_MEMORY, 1011},
    {JZ_FAILURE_IDLE_TIMEOUT, 1001},
    {JZ_FAILURE_TRANSPORT, 1006},
};

static void every_failure_has_its_close_code(void **state)
{
    (void)state;
    assert_int_equal(COUNT_OF(failures), JZ_FAILURE_COUNT);
    for (size_t i = 0; i < COUNT_OF(failures); i++) {
        assert_int_equal(failures[i].failure, i);
        assert_that(jz_failure_close_code(failures[i].failure) == failures[i].close_code, "failure %zu", i);
    }
}

static void every_failure_has_a_text_of_its_own_that_fits_a_close_frame(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(failures); i++) {
        const char *text = jz_failure_text(failures[i].failure);
        assert_in_range(strlen(text), 1, 123); /* §5.5: 125 bytes, less two for the code */
        for (size_t other = 0; other < i; other++)
            assert_string_not_equal(text, jz_failure_text(failures[other].failure));
    }
}

static void values_that_are_no_failure_read_as_none(void **state)
{
    (void)state;
    static const int values[] = {-1, JZ_FAILURE_TRANSPORT + 1, 255, 256};
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        jz_failure failure;
        memcpy(&failure, &values[i], sizeof failure); /* a value that a caller in another language may pass */
        assert_int_equal(jz_failure_close_code(failure), 1006);
        assert_string_equal(jz_failure_text(failure), jz_failure_text(JZ_FAILURE_NONE));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failure_has_its_close_code),
        cmocka_unit_test(every_failure_has_a_text_of_its_own_that_fits_a_close_frame),
        cmocka_unit_test(values_that_are_no_failure_read_as_none),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("failure", tests, NULL, NULL));
}
