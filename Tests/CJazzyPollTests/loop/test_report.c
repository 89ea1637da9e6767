#include "loop/report.h"

#include <errno.h>

#include "support/testing.h"

static const struct {
    int number;
    jz_status status;
    const char *message;
} refusals[] = {
    {EADDRINUSE, JZ_STATUS_ADDRESS_IN_USE,
     "cannot listen: the port is in use; choose another, or stop the program that has it"},
    {EADDRNOTAVAIL, JZ_STATUS_ADDRESS_UNAVAILABLE,
     "cannot listen: no interface of this machine has that address; use one that it has, or none for all"},
    {EACCES, JZ_STATUS_PERMISSION_DENIED,
     "cannot listen: permission denied; ports below 1024 need a privilege, higher ones do not"},
    {EPERM, JZ_STATUS_PERMISSION_DENIED,
     "cannot listen: permission denied; ports below 1024 need a privilege, higher ones do not"},
    {EMFILE, JZ_STATUS_NO_DESCRIPTORS,
     "cannot listen: no file descriptors left; raise the limit (`ulimit -n`) or close some"},
    {ENFILE, JZ_STATUS_NO_DESCRIPTORS,
     "cannot listen: no file descriptors left; raise the limit (`ulimit -n`) or close some"},
    {ENOMEM, JZ_STATUS_OUT_OF_MEMORY, "cannot listen: out of memory"},
    {ENOBUFS, JZ_STATUS_OUT_OF_MEMORY, "cannot listen: out of memory"},
    {EIO, JZ_STATUS_SYSTEM, "cannot listen: Input/output error"},
};

static void a_refusal_of_the_system_says_what_was_tried_and_the_way_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        jz_error error = {0};
        assert_int_equal(jz_report_system(&error, refusals[i].number, "listen"), refusals[i].status);
        assert_int_equal(error.status, refusals[i].status);
        assert_string_equal(error.message, refusals[i].message);
        assert_int_equal(jz_report_system(NULL, refusals[i].number, "listen"), refusals[i].status);
    }
}

static void a_refusal_that_has_no_name_is_told_all_the_same(void **state)
{
    (void)state;
    jz_error error = {0};
    assert_int_equal(jz_report_system(&error, 123456, "listen"), JZ_STATUS_SYSTEM);
    assert_non_null(strstr(error.message, "123456"));
}

static void a_report_is_formatted(void **state)
{
    (void)state;
    jz_error error = {0};
    assert_int_equal(jz_report(&error, JZ_STATUS_INVALID_ROUTE, "route %s has %d", "/", 7), JZ_STATUS_INVALID_ROUTE);
    assert_int_equal(error.status, JZ_STATUS_INVALID_ROUTE);
    assert_string_equal(error.message, "route / has 7");
    assert_int_equal(jz_report(NULL, JZ_STATUS_INVALID_ROUTE, "route %s", "/"), JZ_STATUS_INVALID_ROUTE);
}

static void a_report_that_is_too_long_is_cut(void **state)
{
    (void)state;
    char action[2 * sizeof((jz_error){0}).message];
    memset(action, 'x', sizeof action - 1);
    action[sizeof action - 1] = '\0';
    struct {
        jz_error error;
        char behind;
    } reported = {.behind = '!'};
    jz_report_system(&reported.error, ENOMEM, action);
    assert_int_equal(strlen(reported.error.message), sizeof reported.error.message - 1);
    assert_int_equal(reported.behind, '!');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_refusal_of_the_system_says_what_was_tried_and_the_way_out),
        cmocka_unit_test(a_refusal_that_has_no_name_is_told_all_the_same),
        cmocka_unit_test(a_report_is_formatted),
        cmocka_unit_test(a_report_that_is_too_long_is_cut),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("report", tests, NULL, NULL));
}
