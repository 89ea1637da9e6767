#include "codec/close_code.h"

#include "support/testing.h"

/* RFC 6455 §7.4.1 and §7.4.2, and IANA's registry of close codes: each range to the next row's first code. */
static const struct {
    unsigned first;
    bool may_be_sent;
    const char *name;
} ranges[] = {
    {0, false, "not used"},
    {1000, true, "normal closure"},
    {1001, true, "going away"},
    {1002, true, "protocol error"},
    {1003, true, "unsupported data"},
    {1004, false, "reserved"},
    {1005, false, "no status received"},
    {1006, false, "abnormal closure"},
    {1007, true, "invalid frame payload data"},
    {1008, true, "policy violation"},
    {1009, true, "message too big"},
    {1010, true, "mandatory extension"},
    {1011, true, "internal error"},
    {1012, true, "service restart"},
    {1013, true, "try again later"},
    {1014, true, "bad gateway"},
    {1015, false, "TLS handshake"},
    {1016, false, "not defined"},
    {2000, false, "for extensions"},
    {3000, true, "registered by libraries"},
    {4000, true, "for private use"},
    {5000, false, "not used"},
    {65536, false, "the end"},
};

static void exactly_the_codes_that_may_travel_are_accepted(void **state)
{
    (void)state;
    size_t range = 0;
    for (unsigned code = 0; code <= UINT16_MAX; code++) {
        if (code == ranges[range + 1].first)
            range++;
        assert_that(jz_close_code_may_be_sent((uint16_t)code) == ranges[range].may_be_sent, "%u, %s", code,
                    ranges[range].name);
    }
    assert_int_equal(range, COUNT_OF(ranges) - 2); /* every row was used */
}

/* Codes that are only reported are sent as other codes; all others are sent unchanged. */
static void what_is_only_reported_is_sent_as_what_says_the_same(void **state)
{
    (void)state;
    for (unsigned code = 0; code <= UINT16_MAX; code++) {
        unsigned own = jz_close_code_may_be_sent((uint16_t)code) ? code : 0;
        unsigned expected = code == 1005 ? 1005 : code == 1006 ? 1001 : code == 1015 ? 1011 : own;
        assert_that(jz_close_code_to_send((uint16_t)code) == expected, "%u", code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exactly_the_codes_that_may_travel_are_accepted),
        cmocka_unit_test(what_is_only_reported_is_sent_as_what_says_the_same),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("close_code", tests, NULL, NULL));
}
