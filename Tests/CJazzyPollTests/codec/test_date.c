#include "codec/date.h"

#include <stdio.h>

#include "support/clock.h"
#include "support/testing.h"

/* The sixth row is the example of RFC 9110 §5.6.7; the others were computed with Python's email.utils. */
static const struct {
    int64_t seconds;
    const char *text;
} dates[] = {
    {0, "Thu, 01 Jan 1970 00:00:00 GMT"},          {1, "Thu, 01 Jan 1970 00:00:01 GMT"},
    {59, "Thu, 01 Jan 1970 00:00:59 GMT"},         {86399, "Thu, 01 Jan 1970 23:59:59 GMT"},
    {68169600, "Tue, 29 Feb 1972 00:00:00 GMT"},   {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
    {946684799, "Fri, 31 Dec 1999 23:59:59 GMT"},  {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
    {2147483647, "Tue, 19 Jan 2038 03:14:07 GMT"}, {2147483648, "Tue, 19 Jan 2038 03:14:08 GMT"},
    {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"}, {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
};

static void a_date_is_written_as_http_wants_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(dates); i++) {
        jz_date date = {0};
        test_date_stop(dates[i].seconds);
        assert_string_equal(jz_date_now(&date), dates[i].text);
        assert_int_equal(strlen(dates[i].text), JZ_DATE_LENGTH);
    }
}

static void a_date_is_read_as_it_is_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(dates); i++) {
        char text[JZ_DATE_LENGTH + 1];
        int64_t seconds;
        jz_date_format(dates[i].seconds, text);
        assert_string_equal(text, dates[i].text);
        assert_true(jz_date_parse(jz_text_of(text), &seconds));
        assert_int_equal(seconds, dates[i].seconds);
    }
}

static const char *const no_dates[] = {
    "",
    "Sun, 06 Nov 1994 08:49:37",
    "Sun, 06 Nov 1994 08:49:37 UTC",
    "Sun, 06 Nov 1994 08:49:37 GMT ",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
    "Son, 06 Nov 1994 08:49:37 GMT",
    "Sun, 06 Now 1994 08:49:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 32 Nov 1994 08:49:37 GMT",
    "Sun,  6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 0000 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:49:37 GMT",
    "Sun, 06 Nov 1994 08:60:37 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT",
    "Sun, 06 Nov 1994 -8:49:37 GMT",
};

static void what_is_no_date_is_not_read(void **state)
{
    (void)state;
    int64_t seconds;
    for (size_t i = 0; i < COUNT_OF(no_dates); i++)
        assert_that(!jz_date_parse(jz_text_of(no_dates[i]), &seconds), "%s", no_dates[i]);
}

static void one_date_follows_the_clock_in_both_directions(void **state)
{
    (void)state;
    jz_date date = {0};
    for (size_t i = 0; i < COUNT_OF(dates); i++) {
        test_date_stop(dates[i].seconds);
        assert_string_equal(jz_date_now(&date), dates[i].text);
    }
    for (size_t i = COUNT_OF(dates); i-- > 0;) {
        test_date_stop(dates[i].seconds);
        assert_string_equal(jz_date_now(&date), dates[i].text);
    }
}

static void every_weekday_and_month_has_its_name(void **state)
{
    (void)state;
    static const char *const days[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int day_of_year = 0;
    jz_date date = {0};
    for (size_t month = 0; month < COUNT_OF(months); month++) {
        for (int day = 1; day <= lengths[month]; day++, day_of_year++) {
            char expected[64];
            snprintf(expected, sizeof expected, "%s, %02d %s 1970 00:00:00 GMT", days[day_of_year % 7], day,
                     months[month]);
            test_date_stop(INT64_C(86400) * day_of_year);
            assert_string_equal(jz_date_now(&date), expected);
        }
    }
}

static void within_a_second_the_date_is_not_written_again(void **state)
{
    (void)state;
    jz_date date = {0};
    test_date_stop(784111777);
    jz_date_now(&date);
    date.text[0] = 'x';
    assert_string_equal(jz_date_now(&date), "xun, 06 Nov 1994 08:49:37 GMT");
    test_date_stop(784111778);
    assert_string_equal(jz_date_now(&date), "Sun, 06 Nov 1994 08:49:38 GMT");
}

static int run_clocks(void **state)
{
    (void)state;
    test_clocks_run();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_date_is_written_as_http_wants_it),
        cmocka_unit_test(a_date_is_read_as_it_is_written),
        cmocka_unit_test(what_is_no_date_is_not_read),
        cmocka_unit_test(one_date_follows_the_clock_in_both_directions),
        cmocka_unit_test(every_weekday_and_month_has_its_name),
        cmocka_unit_test(within_a_second_the_date_is_not_written_again),
    };
    return EXIT_STATUS_OF(cmocka_run_group_tests_name("date", tests, NULL, run_clocks));
}
